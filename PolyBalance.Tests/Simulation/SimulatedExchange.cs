using System.Runtime.InteropServices;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Proxy;
using PolyBalance.Topology;

namespace PolyBalance.Tests.Simulation;

/// <summary>One client's request: what an <see cref="Exchange"/> is to the proxy.</summary>
internal sealed class SimulatedExchange(int number, Cluster cluster)
{
    private readonly List<Backend> _tried = [];

    /// <summary>Counts up.</summary>
    public int Number { get; } = number;

    /// <summary>The world that it observed when it began.</summary>
    public Cluster Cluster { get; } = cluster;

    /// <summary>Its affinity key; 0 when there is none.</summary>
    public ulong Key { get; init; }

    /// <summary>A GET, or a POST with a key that makes it repeatable; else a POST.</summary>
    public bool IsRepeatable { get; init; }

    /// <summary>Whether it has content, which is kept for another attempt only where that may be repeated.</summary>
    public bool HasContent { get; init; }

    /// <summary>Backends that it was given to.</summary>
    public ReadOnlySpan<Backend> Tried => CollectionsMarshal.AsSpan(_tried);

    /// <summary>Where it is now, or was last.</summary>
    public SimulatedBackend? Backend { get; set; }

    /// <summary>What the report on the running attempt has to carry.</summary>
    public Admission Admission { get; set; }

    /// <summary>Whether the oracle counts the running attempt among those that a bound is for.</summary>
    public bool IsCounted { get; set; }

    /// <summary>The oracle's era of its backend in which the running attempt began.</summary>
    public int Era { get; set; }

    /// <summary>What becomes of the running attempt unless the client leaves.</summary>
    public Fate Fate { get; set; }

    /// <summary>When the running attempt began, in heartbeat time.</summary>
    public long Began { get; set; }

    /// <summary>Whether an attempt runs.</summary>
    public bool IsRunning { get; set; }

    /// <summary>How often a backend has been chosen for it.</summary>
    public int Tries { get; set; }

    /// <summary>Attempts, resends included; the latest is the one that runs.</summary>
    public int Attempts { get; set; }

    /// <summary>Attempts of which a byte has reached a backend.</summary>
    public int Reached { get; set; }

    /// <summary>Attempts that took too long.</summary>
    public int TimedOut { get; set; }

    /// <summary>Whether the next attempt must use a connection of its own.</summary>
    public bool MustBeFresh { get; set; }

    /// <summary>Its place in the queue, now or the last time; null: it has never waited.</summary>
    public QueuedRequest? Queued { get; set; }

    /// <summary>Whether the oracle counts it among those who wait.</summary>
    public bool IsWaiting { get; set; }

    /// <summary>Since when it waits, in heartbeat time.</summary>
    public long WaitsSince { get; set; }

    /// <summary>Until when it waits by what is configured, in heartbeat time.</summary>
    public long WaitsUntil { get; set; }

    /// <summary>How its wait has ended; null while it has not.</summary>
    public Choice? WaitEnd { get; set; }

    /// <summary>Whether its client has left.</summary>
    public bool HasClientLeft { get; set; }

    /// <summary>Final answers that its client got; leaving counts as one.</summary>
    public int Answers { get; set; }

    /// <summary>What failed last.</summary>
    public FailureKind Failure { get; set; } = FailureKind.NoEligibleBackend;

    /// <summary>Whether it was given to a backend.</summary>
    public bool HasTried(Backend backend) => _tried.Contains(backend);

    /// <summary>A backend was chosen for it.</summary>
    public void Try(SimulatedBackend backend)
    {
        Backend = backend;
        _tried.Add(backend.Known);
    }

    /// <summary>How far it has come, for the decision on another attempt.</summary>
    public RetryFacts Facts()
    {
        var nothingSent = Failure == FailureKind.ConnectRefused;
        return new(
            CanRefuse: !HasClientLeft && Failure != FailureKind.ResponseTruncated,
            CanReplay: IsRepeatable || nothingSent || !HasContent,
            IsRepeatable,
            nothingSent,
            TimedOut);
    }
}
