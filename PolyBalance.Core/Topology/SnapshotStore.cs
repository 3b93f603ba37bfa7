using System.Threading.Channels;

namespace PolyBalance.Topology;

/// <summary>Holds the current <see cref="Snapshot"/>, and is the only code that replaces it.</summary>
/// <remarks>
/// Readers: any thread; one read per exchange. Writers: queued, and applied one at a time by <see cref="RunAsync"/>, so
/// that
/// every change is computed from the very snapshot that it replaces.
/// </remarks>
internal sealed class SnapshotStore(Snapshot first)
{
    private readonly Channel<Func<Snapshot, Snapshot>> _changes = Channel.CreateBounded<Func<Snapshot, Snapshot>>(
        new BoundedChannelOptions(Limits.PendingChangesMax) { SingleReader = true });

    private volatile Snapshot _current = first;
    private int _mustRefresh;

    /// <summary>The world now.</summary>
    public Snapshot Current => _current;

    /// <summary>
    /// Who hears of each snapshot that is another one, once it is in force. On the store's loop; added before it runs.
    /// </summary>
    public Action<Snapshot>? Published { get; set; }

    /// <summary>Queues a change: a total function from the snapshot it finds to the next one.</summary>
    public ValueTask PublishAsync(Func<Snapshot, Snapshot> change, CancellationToken cancel)
        => _changes.Writer.WriteAsync(change, cancel);

    /// <summary>The same for a change that has something to tell. Completes once it is in force.</summary>
    /// <typeparam name="T">What it tells.</typeparam>
    /// <param name="change">From the snapshot it finds to the next one; the same one when nothing is to change.</param>
    /// <param name="cancel">Gives up waiting.</param>
    public async Task<T> ChangeAsync<T>(Func<Snapshot, (Snapshot Next, T Result)> change, CancellationToken cancel)
    {
        var told = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var result = default(T);
        await PublishAsync(
            found =>
            {
                (var next, result) = change(found);
                return next;
            },
            cancel);

        // Changes are applied in order: when this one's turn is over, the one before is in force.
        await PublishAsync(
            found =>
            {
                told.TrySetResult(result!);
                return found;
            },
            cancel);
        return await told.Task.WaitAsync(cancel);
    }

    /// <summary>
    /// What is known of a backend has changed: builds the next snapshot, soon. Any thread; neither waits nor allocates
    /// while one is on its way already.
    /// </summary>
    public void RequestRefresh()
    {
        if (Interlocked.Exchange(ref _mustRefresh, 1) == 0 && !_changes.Writer.TryWrite(Refresh))
            _ = _changes.Writer.WriteAsync(Refresh).AsTask();
    }

    /// <summary>Applies queued changes until told to stop.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            await foreach (var change in _changes.Reader.ReadAllAsync(stop))
                Apply(change);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // That is how it is told to stop.
        }
    }

    // First the flag: what changes from here on asks for another one.
    private Snapshot Refresh(Snapshot previous)
    {
        Interlocked.Exchange(ref _mustRefresh, 0);
        return SnapshotBuilder.Refresh(previous);
    }

    private void Apply(Func<Snapshot, Snapshot> change)
    {
        var previous = _current;
        var next = change(previous);
        _current = next;                    // exchanges that start from here on see it
        previous.RetireAbsentFrom(next);    // what nobody can pick any more lets go of its connections
        if (!ReferenceEquals(next, previous))
            Published?.Invoke(next);
    }
}
