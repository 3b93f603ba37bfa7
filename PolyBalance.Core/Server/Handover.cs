using System.Net.Sockets;
using PolyBalance.Telemetry;
using PolyBalance.Topology;

namespace PolyBalance.Server;

/// <summary>How this gateway gives everything to a process that takes over: all of it, or nothing.</summary>
/// <remarks>One caller at a time; <see cref="HasBegun"/> and what is added from any thread.</remarks>
/// <param name="store">What is in force.</param>
/// <param name="reloader">Takes nothing up meanwhile.</param>
/// <param name="listeners">Let go of their sockets.</param>
/// <param name="metrics">What was counted.</param>
internal sealed class Handover(
    SnapshotStore store, Reloader reloader, ListenerSet listeners, GatewayMetrics metrics)
{
    // It has prepared everything, and only has to begin; meanwhile clients wait in the kernel's queue.
    private static readonly TimeSpan GoPatience = TimeSpan.FromSeconds(5);

    private CounterLedger _told = CounterLedger.ToRead();
    private long _flightsTold;
    private volatile bool _hasBegun;

    /// <summary>Whether it is under way, or done: nothing may be changed any more that the other would not know.
    /// </summary>
    public bool HasBegun => _hasBegun;

    /// <summary>Gives everything away. When this returns the other process accepts clients, and nobody here does.
    /// </summary>
    /// <param name="successor">The process, which has come already.</param>
    /// <param name="end">Ends that process, because of a failure. Only then are clients accepted here again.</param>
    /// <param name="cancel">Gives up.</param>
    /// <param name="stop">The gateway is at its end.</param>
    /// <exception cref="HandoverException">The other process is not up to it; everything is as before.</exception>
    public async Task RunAsync(
        Successor successor, Func<Exception, Task> end, CancellationToken cancel, CancellationToken stop)
    {
        _hasBegun = true;
        reloader.Refuse();
        await reloader.SettleAsync();
        var isReleased = false;
        try
        {
            var (state, sockets) = await DescribeAsync(stop);
            await successor.PrepareAsync(state, sockets, cancel);
            isReleased = true;
            await listeners.ReleaseAsync();
            await successor.GoAsync(GoPatience, cancel);
        }
        catch (Exception failure)
        {
            try
            {
                // It may be accepting clients by now, or begin to at any moment, and would take them along to its end.
                await end(failure);
            }
            finally
            {
                if (isReleased)
                    listeners.TakeBack();
                reloader.Accept();
                _hasBegun = false;
            }

            throw;
        }

        listeners.LetGo();
    }

    /// <summary>Tells what was counted here since the last time, and which exchanges were kept.</summary>
    /// <param name="successor">Whom.</param>
    /// <param name="stop">The gateway is at its end.</param>
    public async Task TellAsync(Successor successor, CancellationToken stop)
    {
        var counted = Read();
        var since = counted.Since(_told);
        var flights = metrics.Flights.Since(_flightsTold, out var kept);
        try
        {
            if (!since.IsEmpty)
                await successor.TellAsync(since.Groups, stop);
            _told = counted;
            if (flights.Length > 0)
                await successor.TellAsync(flights, stop);
            _flightsTold = kept;
        }
        catch (HandoverException)
        {
            // It is gone, and nobody wants to know any more.
        }
    }

    /// <summary>Keeps what another process has kept beside what is kept here.</summary>
    public void AddFlights(Flight[] flights) => metrics.Flights.Inherit(flights);

    /// <summary>Adds what another process has counted to what is counted here.</summary>
    public void AddCounters(Dictionary<string, Dictionary<string, long>> counters)
        => HandoverContents.Carry(CounterLedger.ToAdd(counters), store.Current, metrics);

    private CounterLedger Read()
    {
        var ledger = CounterLedger.ToRead();
        HandoverContents.Carry(ledger, store.Current, metrics);
        return ledger;
    }

    // After this nobody changes anything at run time: each change looks whether that has begun, on the same loop.
    private async Task<(HandoverState State, List<Socket> Sockets)> DescribeAsync(CancellationToken stop)
    {
        var snapshot = await store.ChangeAsync(static found => (found, found), stop);
        _told = Read();
        var sockets = listeners.Sockets;
        var state = HandoverContents.StateOf(snapshot, _told) with { Sockets = sockets.ConvertAll(one => one.About) };
        return (state, sockets.ConvertAll(one => one.Socket));
    }
}
