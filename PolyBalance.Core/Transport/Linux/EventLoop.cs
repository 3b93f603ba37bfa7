using System.Collections.Concurrent;

namespace PolyBalance.Transport.Linux;

/// <summary>Owns something that a loop does operations for, and hears of their ends.</summary>
internal interface ILoopMember
{
    /// <summary>An operation has ended. On the loop's thread.</summary>
    /// <param name="kind">What was given to <see cref="EventLoop.Begin"/>.</param>
    /// <param name="completion">What became of it.</param>
    void OnCompleted(byte kind, in Ring.Completion completion);

    /// <summary>The loop ends: take back what is pending, and leave. On the loop's thread.</summary>
    void OnLoopEnding();
}

/// <summary>
/// One thread with one ring: everything that its connections do happens here, inline, one after another.
/// </summary>
/// <remarks>
/// A turn: run what other threads have posted, hand new operations to the kernel and sleep, then run what has
/// completed. Only <see cref="Post"/>, <see cref="Stop"/> and the properties may be used by other threads. Code on this
/// thread that awaits something foreign comes back to it through <see cref="LoopSynchronization"/>.
/// </remarks>
internal sealed class EventLoop
{
    private const uint EntriesPerTurn = 4096;
    private const int KindBits = 8;

    private readonly ConcurrentQueue<Work> _mailbox = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly LoopClock _clock;
    private readonly Thread _thread;
    private readonly Stack<int> _free = new();
    private readonly Stack<RingRelay> _relays = new();
    private ILoopMember?[] _members = new ILoopMember?[64];
    private Ring _ring = null!;
    private LoopWaker _waker = null!;
    private int _memberCount;
    private int _connections;
    private int _relaysOpen;
    private bool _isStopping;
    private volatile bool _hasEnded;

    private EventLoop(int index, LoopClock clock, FileAllowance files)
    {
        Index = index;
        Files = files;
        _clock = clock;
        _thread = new(Run) { IsBackground = true, Name = $"loop {index}" };
    }

    /// <summary>Which one of its transport.</summary>
    public int Index { get; }

    /// <summary>The file descriptors that its connections and relays hold.</summary>
    public FileAllowance Files { get; }

    /// <summary>Whether the calling thread is the loop's.</summary>
    public bool IsCurrent => Environment.CurrentManagedThreadId == _thread.ManagedThreadId;

    /// <summary>Whether it takes in nobody any more. Loop thread.</summary>
    public bool IsStopping => _isStopping;

    /// <summary>Connections that live here. Any thread.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Counts the turns. Loop thread.</summary>
    public int Turn { get; private set; }

    /// <summary>When the current turn began, in the clock's unit. Loop thread.</summary>
    public long Now { get; private set; }

    /// <summary>The loop of the calling thread, if it is one.</summary>
    public static EventLoop? Current => (SynchronizationContext.Current as LoopSynchronization)?.Loop;

    /// <summary>Starts a loop. Blocks for the moment that its thread needs to make a ring.</summary>
    /// <param name="index">Which one of its transport.</param>
    /// <param name="clock">Looked at once a turn.</param>
    /// <param name="files">The file descriptors of its transport.</param>
    /// <param name="loop">The loop; null when the kernel refused.</param>
    /// <returns>0, or the error code.</returns>
    public static int TryStart(int index, LoopClock clock, FileAllowance files, out EventLoop? loop)
    {
        var started = new EventLoop(index, clock, files);
        using var starting = new Starting();
        started._thread.Start(starting);
        var error = starting.Wait();
        loop = error == 0 ? started : null;
        return error;
    }

    /// <summary>Enrols a member. Loop thread.</summary>
    /// <returns>Its number, until <see cref="Forget"/>.</returns>
    public int Enrol(ILoopMember member)
    {
        if (!_free.TryPop(out var number))
            number = _memberCount;
        if (number == _members.Length)
            Array.Resize(ref _members, _members.Length * 2);

        _members[number] = member;
        _memberCount++;
        return number;
    }

    /// <summary>A member has left: none of its operations is pending. Loop thread.</summary>
    public void Forget(int number)
    {
        _members[number] = null;
        _memberCount--;
        _free.Push(number);
    }

    /// <summary>One connection more or less. Loop thread.</summary>
    public void CountConnection(int change) => Volatile.Write(ref _connections, _connections + change);

    /// <summary>Closes the file of a connection, and counts it no more. Any thread.</summary>
    public void CloseFile(int file)
    {
        Libc.Close(file);
        Files.Return();
    }

    /// <summary>Begins an operation for a member. It reaches the kernel at the end of the turn. Loop thread.</summary>
    public ref Ring.Submission Begin(Operation operation, int file, int number, byte kind)
        => ref _ring.Begin(operation, file, TagOf(number, kind));

    /// <summary>Takes back a pending operation, which completes with an error then. Loop thread.</summary>
    /// <param name="number">Whose.</param>
    /// <param name="kind">Which.</param>
    /// <param name="endKind">How the end of the cancellation itself is reported.</param>
    public void Cancel(int number, byte kind, byte endKind)
        => _ring.Begin(Operation.Cancel, -1, TagOf(number, endKind)).Address = TagOf(number, kind);

    /// <summary>An empty pipe. Null when too many are open, or file descriptors are short. Loop thread.</summary>
    public RingRelay? TryOpenRelay()
    {
        if (_relaysOpen == Limits.RelaysMax)
            return null;

        if (!_relays.TryPop(out var relay))
            relay = TryMakeRelay();
        if (relay is not null)
            _relaysOpen++;
        return relay;
    }

    /// <summary>A pipe is not used any more. Once per <see cref="TryOpenRelay"/>. Loop thread.</summary>
    /// <returns>True when it is kept for reuse; it must be empty then.</returns>
    public bool TryKeep(RingRelay relay)
    {
        _relaysOpen--;
        if (relay.Held > 0 || _relays.Count == Limits.RelaysKept || _isStopping)
            return false;

        _relays.Push(relay);
        return true;
    }

    /// <summary>Memory of 128 bytes that stays until an operation is submitted. Loop thread.</summary>
    public Span<byte> AddressOf(ref Ring.Submission entry) => _ring.AddressOf(ref entry);

    /// <summary>Has something run on the loop's thread, in the order of the calls. Any thread.</summary>
    /// <returns>False when the loop has ended; it will not run then.</returns>
    public bool Post(SendOrPostCallback run, object? state)
    {
        if (_hasEnded)
            return false;

        _mailbox.Enqueue(new(run, state));
        if (!IsCurrent)
            _waker.Wake();

        // The end may have come between the look and the entry: then nobody is left to run it but us.
        if (_hasEnded)
            RunMailbox();
        return true;
    }

    /// <summary>Has everybody leave, and completes when the thread is about to end. Any thread.</summary>
    public Task Stop()
    {
        Post(static state => ((EventLoop)state!).BeginStop(), this);
        return _ended.Task;
    }

    private static ulong TagOf(int number, byte kind) => ((ulong)(uint)number << KindBits) | kind;

    private void Run(object? state)
    {
        var starting = (Starting)state!;
        var error = Ring.TryMake(EntriesPerTurn, out var ring);
        if (error != 0)
        {
            starting.Finish(error);
            return;
        }

        _ring = ring!;
        Now = _clock.RealTimestamp;
        SynchronizationContext.SetSynchronizationContext(new LoopSynchronization(this));
        _waker = new(this);
        _waker.Arm();
        starting.Finish(0);

        do
            RunMailbox();
        while (TryTurn());

        _hasEnded = true;
        RunMailbox();
        _ring.Dispose();
        while (_relays.TryPop(out var relay))
            relay.CloseFiles();
        _ended.SetResult();
    }

    // False when everybody has left after the order to stop: the waker is the last member.
    private bool TryTurn()
    {
        if (_isStopping && _memberCount == 1 && _mailbox.IsEmpty)
            return false;

        _ring.SubmitAndWait(wait: _mailbox.IsEmpty);
        Now = _clock.RealTimestamp;
        Turn++;
        while (_ring.TryTake(out var completion))
            _members[completion.Tag >> KindBits]!.OnCompleted((byte)completion.Tag, completion);
        return true;
    }

    private void RunMailbox()
    {
        if (_mailbox.IsEmpty)
            return;

        // What is posted meanwhile, by this thread above all, has its turn after the others.
        for (var left = _mailbox.Count; left > 0 && _mailbox.TryDequeue(out var work); left--)
            work.Run(work.State);
    }

    private RingRelay? TryMakeRelay()
    {
        if (!Files.TryTakeSpare(RingRelay.Files))
            return null;
        if (Libc.TryOpenPipe(out var readEnd, out var writeEnd))
            return new(this, readEnd, writeEnd);

        Files.Return(RingRelay.Files);
        return null;
    }

    private void BeginStop()
    {
        _isStopping = true;
        for (var number = 0; number < _members.Length; number++)
            _members[number]?.OnLoopEnding();
    }

    /// <summary>What another thread wants done.</summary>
    private readonly record struct Work(SendOrPostCallback Run, object? State);

    /// <summary>Brings the outcome of the start from the loop's thread to the thread that started it.</summary>
    private sealed class Starting : IDisposable
    {
        private readonly ManualResetEventSlim _done = new();
        private int _error;

        public void Finish(int error)
        {
            _error = error;
            _done.Set();
        }

        public int Wait()
        {
            _done.Wait();
            return _error;
        }

        public void Dispose() => _done.Dispose();
    }
}
