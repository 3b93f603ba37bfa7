namespace PolyBalance.Transport.Linux;

/// <summary>
/// Calls something again and again on the thread of a loop: an operation that completes after a while.
/// </summary>
/// <remarks>A timer of the framework takes a thread of the pool each time, which costs many times as much.</remarks>
internal sealed unsafe class LoopTimer : ILoopMember, ITimer
{
    private const byte TimeoutKind = 0;
    private const byte CancelKind = 1;

    private readonly EventLoop _loop;
    private readonly TimerCallback _callback;
    private readonly object? _state;
    private readonly long[] _period = GC.AllocateArray<long>(2, pinned: true);     // seconds and nanoseconds
    private int _number;
    private int _pending;
    private bool _isStopping;

    /// <summary>Starts it. Any thread.</summary>
    public LoopTimer(EventLoop loop, TimerCallback callback, object? state, TimeSpan period)
    {
        _loop = loop;
        _callback = callback;
        _state = state;
        _period[0] = period.Ticks / TimeSpan.TicksPerSecond;
        _period[1] = period.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick;
        loop.Post(static timer => ((LoopTimer)timer!).Start(), this);
    }

    /// <inheritdoc/>
    public void OnCompleted(byte kind, in Ring.Completion completion)
    {
        _pending--;
        if (!_isStopping)
        {
            Begin();
            _callback(_state);
        }
        else if (_pending == 0)
        {
            _loop.Forget(_number);
        }
    }

    /// <inheritdoc/>
    public void OnLoopEnding() => Stop();

    /// <inheritdoc/>
    public bool Change(TimeSpan dueTime, TimeSpan period)
        => throw new NotSupportedException("The period of a loop's timer does not change.");

    /// <inheritdoc/>
    public void Dispose() => _loop.Post(static timer => ((LoopTimer)timer!).Stop(), this);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private void Start()
    {
        if (_loop.IsStopping)
        {
            _isStopping = true;
            return;
        }

        _number = _loop.Enrol(this);
        Begin();
    }

    private void Begin()
    {
        ref var timeout = ref _loop.Begin(Operation.Timeout, -1, _number, TimeoutKind);
        fixed (long* period = _period)
            timeout.Address = (ulong)period;
        timeout.Length = 1;
        _pending++;
    }

    private void Stop()
    {
        if (_isStopping)
            return;

        _isStopping = true;
        _loop.Cancel(_number, TimeoutKind, CancelKind);
        _pending++;
    }
}
