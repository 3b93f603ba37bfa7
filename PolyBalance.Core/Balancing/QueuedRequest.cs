using PolyBalance.Backends;
using PolyBalance.Transport;

namespace PolyBalance.Balancing;

/// <summary>What came of looking for a place: a backend with a place at it, or why there is none.</summary>
/// <param name="Backend">Whom to try; null: nobody.</param>
/// <param name="Admission">
/// The place at it. Whoever does not use it gives it back: <see cref="Backend.Withdraw"/>.
/// </param>
/// <param name="Failure">Why there is nobody.</param>
internal readonly record struct Choice(Backend? Backend, Admission Admission, FailureKind Failure)
{
    /// <summary>Nobody, and why.</summary>
    public static Choice None(FailureKind failure) => new(null, default, failure);

    /// <summary>The place, if there is one, is not used.</summary>
    public void Withdraw() => Backend?.Withdraw(Admission);
}

/// <summary>One request in a <see cref="RequestQueue"/>.</summary>
/// <remarks>
/// It is in the queue's list until it is taken out, once, and only who has taken it out ends it. The waiting code goes
/// on where it came from: on its own lane.
/// </remarks>
internal sealed class QueuedRequest : IWaiting, IDeadlineOwner
{
    private readonly TaskCompletionSource<Choice> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly RequestQueue _queue;
    private readonly Heartbeat _heartbeat;
    private readonly DeadlineSlot _deadline;

    /// <summary>Prepares to wait. <see cref="Release"/> must follow.</summary>
    /// <param name="queue">Where.</param>
    /// <param name="heartbeat">The clock.</param>
    public QueuedRequest(RequestQueue queue, Heartbeat heartbeat)
    {
        _queue = queue;
        _heartbeat = heartbeat;
        Joined = heartbeat.Now;
        _deadline = heartbeat.Register(this);
    }

    /// <summary>
    /// The backend of the session that the request belongs to, as long as there is hope for a place there; null: any.
    /// </summary>
    public Backend? Home { get; init; }

    /// <summary>Hash of the affinity key, or 0 when there is none.</summary>
    public ulong Key { get; init; }

    /// <summary>Backends that the exchange has tried already. Stays as it is while the request waits.</summary>
    public ReadOnlyMemory<Backend> Tried { get; init; }

    /// <summary>Since when it waits, in heartbeat time.</summary>
    public long Joined { get; }

    /// <summary>Who has joined just before it. Queue's lock, as all of the list.</summary>
    public QueuedRequest? Older { get; set; }

    /// <summary>Who has joined just after it.</summary>
    public QueuedRequest? Newer { get; set; }

    /// <summary>Whether it is in the list.</summary>
    public bool IsListed { get; set; }

    /// <summary>Whether its client has left.</summary>
    public bool HasLeft { get; set; }

    /// <summary>It waits until then, in heartbeat time. Once it is listed: a deadline passes only once.</summary>
    public void SetDeadline(long deadline) => _deadline.Read = deadline;

    /// <summary>Waits for the end.</summary>
    public Task<Choice> EndAsync() => _end.Task;

    /// <summary>
    /// Ends the wait. Only from who has taken the request out of the list, or could not put it there.
    /// </summary>
    public void End(in Choice choice) => _end.SetResult(choice);

    /// <inheritdoc/>
    public void Leave() => _queue.Leave(this);

    /// <summary>The deadline is needed no more. Once.</summary>
    public void Release() => _heartbeat.Release(_deadline);

    /// <inheritdoc/>
    public void OnDeadline(DeadlineKind kind) => _queue.TimeOut(this);
}
