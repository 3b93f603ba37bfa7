namespace PolyBalance.Transport.Linux;

/// <summary>
/// Brings code back to its loop that awaited something foreign: a name that is resolved, a file, a timer.
/// </summary>
/// <remarks>
/// What the data path awaits does not go through here: its sources complete on the loop's thread and ignore the
/// captured context.
/// </remarks>
internal sealed class LoopSynchronization(EventLoop loop) : SynchronizationContext
{
    /// <summary>Whose.</summary>
    public EventLoop Loop => loop;

    /// <inheritdoc/>
    public override void Post(SendOrPostCallback d, object? state)
    {
        if (!loop.Post(d, state))
            ThreadPool.QueueUserWorkItem(static work => work.d(work.state), (d, state), preferLocal: false);
    }

    /// <inheritdoc/>
    public override void Send(SendOrPostCallback d, object? state)
        => throw new NotSupportedException("A loop cannot be waited for: whoever waits may be a loop himself.");

    /// <inheritdoc/>
    public override SynchronizationContext CreateCopy() => this;
}
