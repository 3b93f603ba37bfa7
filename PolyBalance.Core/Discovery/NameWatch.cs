using PolyBalance.Configuration;
using PolyBalance.Telemetry;

namespace PolyBalance.Discovery;

/// <summary>One name that is looked up again and again. Its loop writes, anybody may read what is public.</summary>
/// <param name="key">What is looked up.</param>
/// <param name="state">What is known of it.</param>
internal sealed class NameWatch(LookUpKey key, NameState state)
{
    private volatile TaskCompletionSource _nudge = Fresh();
    private long _knownAt = -1;
    private long _nextLookUp = -1;

    /// <summary>What is looked up.</summary>
    public LookUpKey Key { get; } = key;

    /// <summary>What is known of it. The loop's.</summary>
    public NameState State { get; } = state;

    /// <summary>Look-ups, by <see cref="LookUpOutcome"/>.</summary>
    public EventCounters Outcomes { get; } = new(LookUpOutcomes.Labels.Length);

    /// <summary>Ends the loop.</summary>
    public CancellationTokenSource Stop { get; } = new();

    /// <summary>The loop has a first result, and it is in force.</summary>
    public TaskCompletionSource FirstResult { get; } = Fresh();

    /// <summary>Until when places stay that the name has lost; null: there are none. The loop's.</summary>
    public TimeSpan? LeavingUntil { get; set; }

    /// <summary>The loop; awaited at the end.</summary>
    public Task Running { get; set; } = Task.CompletedTask;

    /// <summary>When somebody has said last what is in use; null: nobody ever has.</summary>
    public TimeSpan? KnownAt
    {
        get => Interlocked.Read(ref _knownAt) is >= 0 and var ticks ? new TimeSpan(ticks) : null;
        set => Interlocked.Exchange(ref _knownAt, value?.Ticks ?? -1);
    }

    /// <summary>When it is looked up next; null: now.</summary>
    public TimeSpan? NextLookUp
    {
        get => Interlocked.Read(ref _nextLookUp) is >= 0 and var ticks ? new TimeSpan(ticks) : null;
        set => Interlocked.Exchange(ref _nextLookUp, value?.Ticks ?? -1);
    }

    /// <summary>Has it looked up at once: there are other servers, or other rules.</summary>
    public void Nudge() => _nudge.TrySetResult();

    /// <summary>Waits for the next look-up to be due, or for somebody who wants it now.</summary>
    /// <param name="delay">Counted in whole milliseconds, as timers do; never too short.</param>
    /// <param name="clock">Whose time.</param>
    public async Task WaitAsync(TimeSpan delay, TimeProvider clock)
    {
        var nudge = _nudge.Task;
        delay = TimeSpan.FromMilliseconds(Math.Max(Math.Ceiling(delay.TotalMilliseconds), 1));
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Stop.Token);
        var due = Task.Delay(delay, clock, done.Token);
        NextLookUp = clock.GetElapsedTime(0) + delay;
        await Task.WhenAny(due, nudge);
        NextLookUp = null;
        if (nudge.IsCompleted)
            _nudge = Fresh();
        await done.CancelAsync();
        Stop.Token.ThrowIfCancellationRequested();
    }

    private static TaskCompletionSource Fresh() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>What operators see of a name.</summary>
/// <param name="Key">What is looked up.</param>
/// <param name="Outcomes">Look-ups, by <see cref="LookUpOutcome"/>.</param>
/// <param name="Age">How long ago somebody has said last what is in use; null: nobody ever has.</param>
/// <param name="NextLookUp">When it is looked up next, on the same clock; null: now.</param>
internal sealed record NameView(LookUpKey Key, EventCounters Outcomes, TimeSpan? Age, TimeSpan? NextLookUp);
