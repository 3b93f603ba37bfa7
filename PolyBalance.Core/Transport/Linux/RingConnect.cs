using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks.Sources;

namespace PolyBalance.Transport.Linux;

/// <summary>One connect through a ring, with a deadline; its result is a value, not an exception.</summary>
/// <remarks>Everything but <see cref="RunAsync"/> and the deadline happens on the loop's thread.</remarks>
internal sealed class RingConnect : IValueTaskSource<ConnectResult>, ILoopMember, IDeadlineOwner
{
    private const byte ConnectKind = 0;
    private const byte CancelKind = 1;

    private readonly RingTransport _transport;
    private readonly EventLoop _loop;
    private readonly EndPoint _address;
    private readonly int _file;
    private readonly DeadlineSlot _deadline;
    private ManualResetValueTaskSourceCore<ConnectResult> _core;
    private int _number;
    private int _pending;
    private int _result = -Libc.Cancelled;
    private bool _isGivenUp;

    /// <summary>Prepares a connect.</summary>
    /// <param name="transport">Whose connection it will be.</param>
    /// <param name="loop">Where it will live.</param>
    /// <param name="address">Where to.</param>
    /// <param name="file">A fresh socket, taken over.</param>
    public RingConnect(RingTransport transport, EventLoop loop, EndPoint address, int file)
    {
        _transport = transport;
        _loop = loop;
        _address = address;
        _file = file;
        _deadline = transport.Heartbeat.Register(this);
    }

    /// <summary>Connects. Any thread, once; goes on on the loop's thread.</summary>
    /// <param name="timeout">How long at most, in <see cref="Heartbeat"/> ticks.</param>
    public ValueTask<ConnectResult> RunAsync(long timeout)
    {
        _deadline.Write = _transport.Heartbeat.Now + timeout;
        if (_loop.IsCurrent || !_loop.Post(static state => ((RingConnect)state!).Begin(), this))
            Begin();
        return new(this, _core.Version);
    }

    /// <inheritdoc/>
    public void OnCompleted(byte kind, in Ring.Completion completion)
    {
        if (kind == ConnectKind)
            _result = completion.Result;
        if (--_pending > 0)
            return;

        _loop.Forget(_number);
        Finish();
    }

    /// <inheritdoc/>
    public void OnLoopEnding() => GiveUp();

    /// <inheritdoc/>
    public void OnDeadline(DeadlineKind kind) => _loop.Post(static state => ((RingConnect)state!).GiveUp(), this);

    /// <inheritdoc/>
    ConnectResult IValueTaskSource<ConnectResult>.GetResult(short token) => _core.GetResult(token);

    /// <inheritdoc/>
    ValueTaskSourceStatus IValueTaskSource<ConnectResult>.GetStatus(short token) => _core.GetStatus(token);

    /// <inheritdoc/>
    void IValueTaskSource<ConnectResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _core.OnCompleted(continuation, state, token, Inline.Of(flags));

    private unsafe void Begin()
    {
        var address = _address.Serialize();
        var bytes = address.Buffer.Span[..address.Size];
        if (_loop.IsStopping || _isGivenUp)
        {
            Finish();
        }
        else if (_address is UnixDomainSocketEndPoint)
        {
            _result = -Libc.ConnectAtOnce(_file, bytes);
            Finish();
        }
        else
        {
            _number = _loop.Enrol(this);
            ref var connect = ref _loop.Begin(Operation.Connect, _file, _number, ConnectKind);
            var place = _loop.AddressOf(ref connect);
            bytes.CopyTo(place);
            fixed (byte* pointer = place)
                connect.Address = (ulong)pointer;
            connect.Offset = (ulong)bytes.Length;
            _pending = 1;
        }
    }

    private void GiveUp()
    {
        if (_isGivenUp)
            return;

        _isGivenUp = true;
        if (_pending == 0)
            return;

        _loop.Cancel(_number, ConnectKind, CancelKind);
        _pending++;
    }

    private void Finish()
    {
        _transport.Heartbeat.Release(_deadline);
        var failure = FailureOf(-_result);
        if (failure != FailureKind.None)
        {
            _loop.CloseFile(_file);
            _core.SetResult(new(null, failure));
            return;
        }

        // Not earlier: a ring does not wait for the end of a connect on a socket that says itself that it must not.
        var isUnix = _address is UnixDomainSocketEndPoint;
        if (!isUnix)
            Libc.NeverWait(_file);
        _core.SetResult(new(_transport.Adopt(_loop, _file, _address, isUnix), FailureKind.None));
    }

    private FailureKind FailureOf(int error) => error switch
    {
        0 when !_isGivenUp => FailureKind.None,
        0 or Libc.Cancelled or Libc.TimedOut => FailureKind.ConnectTimedOut,
        Libc.Refused => FailureKind.ConnectRefused,
        // A Unix socket whose file is gone, or whose listener has no room: Linux does not let a client wait there.
        Libc.NoSuchFile or Libc.WouldBlock when _address is UnixDomainSocketEndPoint => FailureKind.ConnectRefused,
        _ => FailureKind.ConnectFailed,
    };
}
