using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Health;

namespace PolyBalance.Tests.Simulation;

/// <summary>How a simulated backend treats whoever connects to it.</summary>
internal enum Mood
{
    Fine,
    Slow,
    Refuses,
    ClosesBeforeItActs,
    ClosesAfterItActed,
    AnswersError,
    Hangs,
    ClosesIdle,
    CutsOff,
}

/// <summary>What will become of an attempt.</summary>
/// <param name="Failure">How it fails, or <see cref="FailureKind.None"/>.</param>
/// <param name="Status">The status that the backend answers; 0: no answer.</param>
/// <param name="After">When it ends, from its beginning.</param>
internal readonly record struct Fate(FailureKind Failure, int Status, TimeSpan After);

/// <summary>A backend: the real one that PolyBalance knows, and the simulated one behind its address.</summary>
internal sealed class SimulatedBackend(int number, Backend known, BackendOptions options)
{
    /// <summary>From 0; the place in the configuration.</summary>
    public int Number { get; } = number;

    /// <summary>What PolyBalance knows of it.</summary>
    public Backend Known { get; } = known;

    /// <summary>What the user wrote of it.</summary>
    public BackendOptions Options { get; } = options;

    /// <summary>How it behaves now.</summary>
    public Mood Mood { get; private set; }

    /// <summary>Whether probes meet what traffic meets; else they always pass.</summary>
    public bool ProbesMeetTrouble { get; private set; } = true;

    /// <summary>What its probes say.</summary>
    public HealthState? Probed { get; } = options.Health is { } check
        ? new(check.HealthyThreshold, check.UnhealthyThreshold)
        : null;

    /// <summary>When the running probe began, in heartbeat time.</summary>
    public long ProbeBegan { get; set; }

    /// <summary>It behaves in another way from now on.</summary>
    /// <param name="random">Draws how.</param>
    /// <param name="troublePercent">How likely it is in trouble.</param>
    public void ChangeMood(Random random, int troublePercent)
    {
        var isInTrouble = random.Next(100) < troublePercent;
        Mood = isInTrouble ? (Mood)random.Next(1, 1 + (int)Mood.CutsOff) : Mood.Fine;
        ProbesMeetTrouble = random.Next(3) > 0;
    }

    /// <summary>What will become of an attempt that begins now.</summary>
    /// <param name="random">Draws how long things take.</param>
    /// <param name="isFresh">Its connection has not been used before.</param>
    /// <param name="timeout">How long a response may take.</param>
    public Fate DrawFate(Random random, bool isFresh, TimeSpan timeout)
    {
        var soon = TimeSpan.FromMilliseconds(random.Next(0, 3));
        var usual = TimeSpan.FromMilliseconds(1 + random.Next(0, 60));
        var late = TimeSpan.FromMilliseconds(random.Next(200, 3_000));
        return Mood switch
        {
            Mood.Slow when late >= timeout => new(FailureKind.ResponseTimedOut, 0, timeout),
            Mood.Slow => new(FailureKind.None, 200, late),
            Mood.Refuses => new(FailureKind.ConnectRefused, 0, soon),
            Mood.ClosesBeforeItActs => new(FailureKind.BackendClosed, 0, soon),
            Mood.ClosesAfterItActed => new(FailureKind.BackendClosed, 0, usual),
            Mood.AnswersError => new(FailureKind.None, 500, usual),
            Mood.Hangs => new(FailureKind.ResponseTimedOut, 0, timeout),
            Mood.ClosesIdle when !isFresh => new(FailureKind.StaleConnection, 0, soon),
            Mood.CutsOff => new(FailureKind.ResponseTruncated, 200, usual),
            _ => new(FailureKind.None, 200, usual),
        };
    }

    /// <summary>What a probe that begins now finds out, and how long it takes.</summary>
    public (bool Passes, TimeSpan After) DrawProbe(Random random)
    {
        var timeout = Options.Health!.Timeout;
        var fate = ProbesMeetTrouble
            ? DrawFate(random, isFresh: true, timeout)
            : new(FailureKind.None, 200, TimeSpan.FromMilliseconds(random.Next(0, 5)));
        return fate.After > timeout
            ? (false, timeout)
            : (fate is { Failure: FailureKind.None, Status: 200 }, fate.After);
    }
}
