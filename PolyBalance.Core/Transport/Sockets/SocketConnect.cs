using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks.Sources;

namespace PolyBalance.Transport.Sockets;

/// <summary>One connect whose result is a value, not an exception.</summary>
internal sealed class SocketConnect : SocketAsyncEventArgs, IValueTaskSource<SocketError>
{
    private ManualResetValueTaskSourceCore<SocketError> _core;

    /// <summary>Prepares a connect to one address.</summary>
    public SocketConnect(EndPoint address)
        => RemoteEndPoint = address;

    /// <summary>Connects; disposing the socket ends the wait.</summary>
    public ValueTask<SocketError> RunAsync(Socket socket)
    {
        try
        {
            return socket.ConnectAsync(this) ? new(this, _core.Version) : new(SocketError);
        }
        catch (SocketException exception)
        {
            return new(exception.SocketErrorCode);
        }
        catch (ObjectDisposedException)
        {
            return new(SocketError.OperationAborted);
        }
    }

    /// <inheritdoc/>
    SocketError IValueTaskSource<SocketError>.GetResult(short token) => _core.GetResult(token);

    /// <inheritdoc/>
    ValueTaskSourceStatus IValueTaskSource<SocketError>.GetStatus(short token) => _core.GetStatus(token);

    /// <inheritdoc/>
    void IValueTaskSource<SocketError>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _core.OnCompleted(continuation, state, token, Inline.Of(flags));

    /// <inheritdoc/>
    protected override void OnCompleted(SocketAsyncEventArgs e) => _core.SetResult(SocketError);
}
