namespace PolyBalance.Transport.Linux;

/// <summary>Accepts on one listening socket for as long as it lives.</summary>
/// <remarks>
/// With a single operation (a multishot accept) while there are file descriptors for everybody who may be waiting: it
/// accepts them all before any code of ours can look. Else one by one.
/// </remarks>
/// <param name="loop">Where.</param>
/// <param name="file">The listening socket, which stays open until <see cref="CloseAsync"/> has completed.</param>
/// <param name="heartbeat">Spaces tries while the system has no file descriptors.</param>
/// <param name="files">Those that we may use.</param>
/// <param name="accepted">Takes over each client's socket, and counts it. Loop thread.</param>
internal sealed class RingAccept(
    EventLoop loop, int file, Heartbeat heartbeat, FileAllowance files, Action<EventLoop, int> accepted)
    : ILoopMember
{
    private const byte AcceptKind = 0;
    private const byte CancelKind = 1;
    private const int Unknown = -1;
    private const int ManyTimes = 1;            // IORING_ACCEPT_MULTISHOT

    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _number = Unknown;
    private int _pending;
    private bool _isCancelled;      // the accept that is pending
    private bool _isClosing;

    /// <summary>Begins to accept. Any thread, once.</summary>
    public void Start()
    {
        if (!loop.Post(static state => ((RingAccept)state!).StartHere(), this))
            _closed.SetResult();
    }

    /// <summary>Stops; completes when the kernel does nothing with the socket any more. Any thread.</summary>
    public Task CloseAsync()
    {
        if (!loop.Post(static state => ((RingAccept)state!).CloseHere(), this))
            _closed.TrySetResult();
        return _closed.Task;
    }

    /// <summary>
    /// After <see cref="CloseAsync"/>: takes over who has connected and was not accepted, whom a close would reset; and
    /// then nobody any more. Any thread.
    /// </summary>
    public void TakeRest()
    {
        Libc.NeverWait(file);
        for (var taken = 0; taken < Limits.BacklogMax && Libc.Accept(file) is >= 0 and var client; taken++)
        {
            if (!loop.Post(static state => ((Late)state!).Settle(), new Late(this, client)))
                Libc.Close(client);
        }
    }

    /// <inheritdoc/>
    public void OnLoopEnding() => CloseHere();

    /// <inheritdoc/>
    public void OnCompleted(byte kind, in Ring.Completion completion)
    {
        if (kind == AcceptKind && completion.Result >= 0)
            accepted(loop, completion.Result);
        if (completion.HasMore)
        {
            if (!files.HasRoomForAll)
                Cancel();
            return;
        }

        _pending--;
        if (_isClosing && _pending == 0)
        {
            loop.Forget(_number);
            _closed.TrySetResult();
        }
        else if (!_isClosing && kind == AcceptKind)
        {
            _ = AgainAsync(-completion.Result);
        }
    }

    private void StartHere()
    {
        if (_isClosing || loop.IsStopping)
        {
            _isClosing = true;
            _closed.TrySetResult();
            return;
        }

        _number = loop.Enrol(this);
        Begin();
    }

    private void Begin()
    {
        ref var accept = ref loop.Begin(Operation.Accept, file, _number, AcceptKind);
        accept.Options = (ushort)(files.HasRoomForAll ? ManyTimes : 0);
        accept.OperationFlags = Libc.AcceptedFlags;
        _isCancelled = false;
        _pending++;
    }

    private async Task AgainAsync(int error)
    {
        if (error is Libc.TooManyFiles or Libc.TooManyFilesInSystem)
            files.ReportClientRefused();

        // File descriptors or memory are short: accepting again at once would spin.
        if (error > 0 && error != Libc.Cancelled)
            await heartbeat.NextTickAsync();
        if (!_isClosing)
            Begin();
    }

    private void CloseHere()
    {
        if (_isClosing)
            return;

        _isClosing = true;
        if (_pending == 0)
        {
            if (_number != Unknown)
                loop.Forget(_number);
            _closed.TrySetResult();
            return;
        }

        Cancel();
    }

    private void Cancel()
    {
        if (_isCancelled)
            return;

        _isCancelled = true;
        loop.Cancel(_number, AcceptKind, CancelKind);
        _pending++;
    }

    /// <summary>A client that was accepted on another thread, on its way to the loop.</summary>
    private sealed class Late(RingAccept accept, int client)
    {
        public void Settle() => accept.TakeOver(client);
    }

    private void TakeOver(int client) => accepted(loop, client);
}
