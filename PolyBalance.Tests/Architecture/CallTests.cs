using System.Diagnostics;
using System.Reflection;
using System.Text;
using NUnit.Framework;

namespace PolyBalance.Tests.Architecture;

/// <summary>Calls that cost more than they look like, read from the compiled code.</summary>
internal sealed class CallTests
{
    private const string NoContext = "an executable has no synchronisation context to avoid";
    private const string DataPath = "Http Transport Backends Balancing Proxy";

    private static readonly Ban[] Bans =
    [
        new("", typeof(Thread), nameof(Thread.Sleep), "wait for what you wait for"),
        new("", typeof(Task), nameof(Task.Delay), "give it the TimeProvider, or wait for an event"),
        new("", typeof(DateTime), "get_Now", "take a TimeProvider"),
        new("", typeof(DateTime), "get_UtcNow", "take a TimeProvider"),
        new("", typeof(DateTimeOffset), "get_Now", "take a TimeProvider"),
        new("", typeof(DateTimeOffset), "get_UtcNow", "take a TimeProvider"),
        new("", typeof(Task<>), "get_Result", "await it"),
        new("", typeof(ValueTask<>), "get_Result", "await it"),
        new("", typeof(Task), nameof(Task.Wait), "await it"),
        new("", typeof(Task), nameof(Task.WaitAll), "await Task.WhenAll"),
        new("", typeof(Task), nameof(Task.ConfigureAwait), NoContext),
        new("", typeof(Task<>), nameof(Task.ConfigureAwait), NoContext),
        new("", typeof(ValueTask), nameof(ValueTask.ConfigureAwait), NoContext),
        new("", typeof(ValueTask<>), nameof(ValueTask.ConfigureAwait), NoContext),
        new("PolyBalance.Core", typeof(Console), "", "Core returns values or logs; Host talks to people"),
        new("PolyBalance.Core", typeof(Environment), nameof(Environment.Exit), "only Main ends the process"),
        new("PolyBalance.Core", typeof(GC), nameof(GC.Collect), "the runtime knows better"),
        new("PolyBalance.Core", typeof(Stopwatch), nameof(Stopwatch.StartNew), "it allocates; subtract time stamps"),
        new(DataPath, typeof(Enumerable), "", "no LINQ where requests pass: it allocates per call"),
        new("Http", typeof(Encoding), nameof(Encoding.GetString), "protocol code compares bytes"),
    ];

    /// <summary>
    /// Overloads with these parameters do something else: wait on a given clock, or swallow an exception.
    /// </summary>
    private static readonly Type[] Harmless = [typeof(TimeProvider), typeof(ConfigureAwaitOptions)];

    /// <summary>Who may all the same, and why. <c>Within</c> is how the calling method's full name starts.</summary>
    private static readonly (string Within, string Callee, string Why)[] Allowed =
    [
    ];

    [Test]
    public void Nothing_calls_what_is_banned()
    {
        var wrong = from call in Calls()
                    from ban in Bans
                    where ban.Covers(call) && !IsAllowed(call)
                    select $"{call.Within} calls {NameOf(call.Callee)}: {ban.Instead}";

        Findings.AreNone(wrong);
    }

    [Test]
    public void Every_exception_from_the_bans_is_still_needed()
    {
        var calls = Calls().Where(call => Bans.Any(ban => ban.Covers(call))).ToList();

        var stale = Allowed.Where(may => !calls.Any(call => Permits(may, call)));

        Findings.AreNone(stale);
    }

    private static IEnumerable<Call> Calls()
        => new[] { DeclaredNames.Core, DeclaredNames.Host, typeof(CallTests).Assembly }.SelectMany(CallScanner.CallsOf);

    private static bool IsAllowed(Call call) => Allowed.Any(may => Permits(may, call));

    private static bool Permits((string Within, string Callee, string Why) may, Call call)
        => call.Within.StartsWith(may.Within, StringComparison.Ordinal) && NameOf(call.Callee) == may.Callee;

    private static string NameOf(MethodBase callee) => $"{callee.DeclaringType?.Name.Split('`')[0]}.{callee.Name}";

    /// <param name="Where">Empty for everywhere, an assembly, or folders of Core.</param>
    /// <param name="Type">Whose method.</param>
    /// <param name="Method">Its name; empty for all.</param>
    /// <param name="Instead">What to do.</param>
    private sealed record Ban(string Where, Type Type, string Method, string Instead)
    {
        public bool Covers(Call call)
            => Declaring(call.Callee) == Type
                && (Method.Length == 0 || Method == call.Callee.Name)
                && call.Callee.GetParameters().All(parameter => !Harmless.Contains(parameter.ParameterType))
                && IsHere(call.From);

        private static Type? Declaring(MethodBase callee)
            => callee.DeclaringType is { IsGenericType: true } generic
                ? generic.GetGenericTypeDefinition()
                : callee.DeclaringType;

        private bool IsHere(Type from)
            => Where.Length == 0
                || from.Assembly.GetName().Name == Where
                || Where.Split(' ').Any(folder => IsIn(from, $"{nameof(PolyBalance)}.{folder}"));

        private static bool IsIn(Type from, string name)
            => from.Namespace == name || from.Namespace?.StartsWith(name + ".", StringComparison.Ordinal) == true;
    }
}
