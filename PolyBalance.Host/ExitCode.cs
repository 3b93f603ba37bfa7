using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace PolyBalance.Host;

/// <summary>
/// The exit codes of the executable. Scripts and units depend on them, so a number never changes its meaning.
/// </summary>
internal static class ExitCode
{
    /// <summary>The command did what it was asked to do; for <c>run</c>: it was told to stop, and drained.</summary>
    public const int Fine = 0;

    /// <summary>
    /// The configuration is wrong, the running gateway refused, or <c>demo --once</c> had a request without an answer.
    /// </summary>
    public const int Refused = 1;

    /// <summary>The command line is wrong, or it leads to no configuration at all.</summary>
    public const int Usage = 2;

    /// <summary>A listener could not be bound.</summary>
    public const int CouldNotListen = 3;

    /// <summary>A command that talks to a running gateway found none.</summary>
    public const int Unreachable = 4;

    /// <summary>A bug: an exception that nobody expected. The number is EX_SOFTWARE of sysexits.h.</summary>
    public const int InternalError = 70;

    private static readonly ImmutableArray<(int Code, string Meaning)> Rows =
    [
        (Fine, "the command did what it was asked to do; run: stopped by a signal, after draining"),
        (Refused,
            "the configuration has errors or cannot be read; the gateway refused; "
            + "demo --once: a request got no answer"),
        (Usage, "the command line is wrong, or no configuration was found"),
        (CouldNotListen, "an address could not be listened on"),
        (Unreachable, "status, errors, reload, upgrade, plan, drain, resume: no gateway answers"),
        (InternalError, "internal error: a bug in polybalance"),
    ];

    /// <summary>One line per exit code: the content of <c>surface/exit-codes.txt</c>.</summary>
    public static string Describe()
    {
        var text = new StringBuilder();
        foreach (var (code, meaning) in Rows)
            text.Append(CultureInfo.InvariantCulture, $"{code,-3} {meaning}\n");
        return text.ToString();
    }
}
