using System.Threading.Channels;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Transport;

/// <summary>Accepts on every lane of a listener, until the listener is disposed of.</summary>
internal sealed class LaneAccepts
{
    private readonly Channel<Connection> _accepted = Channel.CreateUnbounded<Connection>();
    private readonly Task _ended;

    /// <summary>Begins.</summary>
    public LaneAccepts(IConnectionListener listener)
    {
        Listener = listener;
        _ended = Task.WhenAll(Enumerable.Range(0, listener.Acceptors).Select(AcceptAllAsync));
    }

    /// <summary>On what.</summary>
    public IConnectionListener Listener { get; }

    /// <summary>The next client, on whichever lane it has come.</summary>
    public Task<Connection> NextAsync() => _accepted.Reader.ReadAsync().InTime();

    /// <summary>Disposes of the listener; every lane must hear of it.</summary>
    public async Task EndAsync()
    {
        await Listener.DisposeAsync().AsTask().InTime();
        await _ended.InTime();
    }

    private async Task AcceptAllAsync(int lane)
    {
        while (await Listener.AcceptAsync(lane) is { } connection)
            _accepted.Writer.TryWrite(connection);
    }
}
