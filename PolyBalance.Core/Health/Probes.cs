using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Telemetry;
using PolyBalance.Transport;

namespace PolyBalance.Health;

/// <summary>Whom a probe asks, and what for.</summary>
/// <param name="Cluster">Where the backend belongs.</param>
/// <param name="Backend">What operators call it.</param>
/// <param name="Address">Where it listens.</param>
/// <param name="Places">The same, ready to connect to.</param>
/// <param name="Check">What the configuration asks for.</param>
internal sealed record ProbeTarget(
    string Cluster, string Backend, Address Address, BackendAddress Places, HealthOptions Check)
{
    /// <summary>What Host or <c>:authority</c> says.</summary>
    public string Host => Check.Host ?? (Address.IsUnix ? "localhost" : Address.ToString());

    /// <summary>What a probe says of itself when its time is over.</summary>
    public string TimedOut => $"timeout after {Quantity.Write(Check.Timeout)}";
}

/// <summary>What a probe works with.</summary>
/// <param name="Transport">How it connects.</param>
/// <param name="Clock">How it measures time, where there is no transport.</param>
internal sealed record ProbeMeans(ITransport Transport, TimeProvider Clock);

/// <summary>A way to find out whether a backend works. Has no state and changes nothing.</summary>
internal interface IProbe
{
    /// <summary>The value of the config key <c>kind</c>.</summary>
    ProbeKind Kind { get; }

    /// <summary>
    /// Asks once, within the timeout of the check. Whatever goes wrong is an answer: it does not throw, and it leaves
    /// no connection and no process behind. What is wrong with ourselves makes the answer void.
    /// </summary>
    /// <param name="target">Whom to ask, and what for.</param>
    /// <param name="means">What to work with.</param>
    /// <param name="cancel">Nobody wants to know any more.</param>
    ValueTask<ProbeAnswer> RunAsync(ProbeTarget target, ProbeMeans means, CancellationToken cancel);
}

/// <summary>Every kind of probe. A new one is its own file and one line here.</summary>
internal static class Probes
{
    /// <summary>In the order of <see cref="ProbeKind"/>.</summary>
    public static readonly ImmutableArray<IProbe> All =
        [new HttpProbe(), new TcpProbe(), new GrpcProbe(), new ExecProbe()];

    /// <summary>The probe of a kind.</summary>
    public static IProbe Of(ProbeKind kind) => All[(int)kind];

    /// <summary>Asks once. A bug in a probe is a failure, and the log says so.</summary>
    /// <param name="probe">How.</param>
    /// <param name="target">Whom to ask, and what for.</param>
    /// <param name="means">What to work with.</param>
    /// <param name="logger">Hears of bugs.</param>
    /// <param name="cancel">Nobody wants to know any more.</param>
    public static async ValueTask<ProbeAnswer> RunAsync(
        IProbe probe, ProbeTarget target, ProbeMeans means, ILogger logger, CancellationToken cancel)
    {
        try
        {
            return await probe.RunAsync(target, means, cancel);
        }
        catch (Exception bug)
        {
            Log.ProbeFailed(logger, bug);
            return ProbeAnswer.Failed("a bug in PolyBalance");
        }
    }
}
