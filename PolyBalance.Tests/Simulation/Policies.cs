using PolyBalance.Backends;
using PolyBalance.Proxy;
using PolyBalance.Topology;

namespace PolyBalance.Tests.Simulation;

/// <summary>
/// The decisions of PolyBalance that a simulation runs: the very methods of the product. A test of the simulation
/// breaks one of them on purpose.
/// </summary>
internal class Policies
{
    /// <summary>What is known of a backend has changed.</summary>
    /// <returns>Whether the store is asked for the next snapshot.</returns>
    public virtual bool HearsNews() => true;

    /// <summary>Builds the next snapshot.</summary>
    public virtual Snapshot Refresh(Snapshot previous) => SnapshotBuilder.Refresh(previous);

    /// <summary>Whether the request may go to one more backend.</summary>
    public virtual bool MayTry(SimulatedExchange exchange, long now)
        => RetryPolicy.MayTry(exchange.Cluster, exchange.Tries, exchange.Tried, now);

    /// <summary>Chooses a backend and takes a place at it.</summary>
    public virtual Backend? Choose(SimulatedExchange exchange, long now, ulong draw, out Admission admission)
        => exchange.Cluster.FindNow(new(exchange.Key, now, draw, exchange.Tried), out admission);

    /// <summary>Whether a request that found nobody waits for a place instead of being refused.</summary>
    public virtual bool Waits(SimulatedExchange exchange)
        => exchange.Cluster.Queue.IsOpen && !exchange.Cluster.Eligible.IsEmpty;

    /// <summary>A request begins to wait.</summary>
    /// <param name="exchange">Whose.</param>
    /// <param name="deadline">Until when, in heartbeat time.</param>
    public virtual void Join(SimulatedExchange exchange, long deadline)
        => exchange.Cluster.Queue.Join(exchange.Queued!, deadline);

    /// <summary>The client of a request that waits has left.</summary>
    public virtual void Leave(SimulatedExchange exchange) => exchange.Queued!.Leave();

    /// <summary>A place that was waited for is not used.</summary>
    public virtual void Withdraw(Backend backend, Admission admission) => backend.Withdraw(admission);

    /// <summary>A client gets its final answer.</summary>
    public virtual void Answer(SimulatedExchange exchange) => exchange.Answers++;

    /// <summary>Tells a backend how an attempt ended.</summary>
    public virtual void Report(Backend backend, Admission admission, in AttemptOutcome outcome)
        => backend.Report(admission, outcome);

    /// <summary>Whether another attempt may follow the one that failed.</summary>
    public virtual bool MayRepeat(SimulatedExchange exchange)
        => RetryPolicy.Allows(exchange.Facts(), exchange.Failure);
}
