using PolyBalance.Balancing;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Simulation;

/// <summary>Exchanges that wait in the cluster's queue, and those that have yet to hear that they do not.</summary>
/// <remarks>
/// The waits of the product end with tasks. Nobody awaits them here: whatever may have ended one is followed by
/// <see cref="Collect"/>, and exchanges go on in the order of their numbers.
/// </remarks>
/// <param name="heartbeat">What ends a wait that takes too long.</param>
/// <param name="policies">What decides.</param>
/// <param name="oracle">Hears of every place at once: the exchange that gets it may go on later.</param>
internal sealed class SimulatedQueue(Heartbeat heartbeat, Policies policies, Oracle oracle)
{
    private readonly List<SimulatedExchange> _waiting = [];
    private readonly PriorityQueue<SimulatedExchange, int> _ended = new();
    private readonly HashSet<FailureKind> _ends = [];

    /// <summary>How waits ended.</summary>
    public IReadOnlyCollection<FailureKind> Ends => _ends;

    /// <summary>An exchange begins to wait.</summary>
    /// <returns>When the tick comes that ends its wait at the latest, in heartbeat time.</returns>
    public long Join(SimulatedExchange exchange)
    {
        var queue = exchange.Cluster.Queue;
        var deadline = heartbeat.Now + queue.Timeout;
        exchange.Queued = new(queue, heartbeat) { Key = exchange.Key, Tried = exchange.Tried.ToArray() };
        _waiting.Add(exchange);
        oracle.Queue.Join(exchange, heartbeat.Now);
        policies.Join(exchange, deadline);
        Collect();

        var period = heartbeat.Ticks(Heartbeat.Period);
        return (deadline + period - 1) / period * period;
    }

    /// <summary>The client of an exchange that waits leaves.</summary>
    public void Leave(SimulatedExchange exchange)
    {
        exchange.HasClientLeft = true;
        policies.Leave(exchange);
        Collect();
    }

    /// <summary>Notes whose wait is over, and who has a place now.</summary>
    public void Collect()
    {
        for (var index = 0; index < _waiting.Count; index++)
        {
            var exchange = _waiting[index];
            var end = exchange.Queued!.EndAsync();
            if (!end.IsCompletedSuccessfully)
                continue;

            var choice = end.GetAwaiter().GetResult();
            exchange.WaitEnd = choice;
            _ends.Add(choice.Failure);
            _ended.Enqueue(exchange, exchange.Number);
            if (choice.Backend is { } backend)
                oracle.Take(exchange, backend);
        }

        _waiting.RemoveAll(exchange => exchange.Queued!.EndAsync().IsCompletedSuccessfully);
        oracle.Queue.Collect(heartbeat.Now);
        oracle.CheckCounts();
    }

    /// <summary>The next exchange whose wait is over. It goes on.</summary>
    public bool TryTake(out SimulatedExchange exchange, out Choice choice)
    {
        choice = default;
        if (!_ended.TryDequeue(out exchange!, out _))
            return false;

        choice = exchange.WaitEnd!.Value;
        return true;
    }

    /// <summary>The place of an exchange is not used: its client left just when its turn came.</summary>
    public void Withdraw(SimulatedExchange exchange, in Choice choice)
    {
        policies.Withdraw(choice.Backend!, choice.Admission);
        oracle.Free(exchange, choice.Backend!);
        Collect();
    }
}
