using System.Collections.Concurrent;
using System.Globalization;
using System.Threading.Channels;

namespace PolyBalance.Tests.Support;

/// <summary>A backend that a test plays by hand, or lets answer by itself. Counts what reaches it.</summary>
internal sealed class ScriptedBackend : IDisposable
{
    private readonly TestNetwork _network;
    private readonly ConcurrentBag<Wire> _wires = [];
    private readonly Channel<ScriptedConnection> _accepted = Channel.CreateUnbounded<ScriptedConnection>();
    private IWireListener _listener;
    private Func<ReceivedMessage, string>? _answer;
    private int _connections;
    private int _requests;

    /// <summary>Starts to listen.</summary>
    public ScriptedBackend(TestNetwork network)
    {
        _network = network;
        _listener = network.Listen();
        Address = _listener.Address;
        _ = AcceptAllAsync(_listener);
    }

    /// <summary>Where it listens.</summary>
    public string Address { get; }

    /// <summary>Connections that the gateway has made to it.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Requests that it has read to their ends while it answered by itself.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Connections that were accepted and not taken by <see cref="AcceptAsync"/>.</summary>
    public ChannelReader<ScriptedConnection> Waiting => _accepted.Reader;

    /// <summary>A response with a length.</summary>
    public static string Ok(string content = "ok", string lines = "") => string.Create(CultureInfo.InvariantCulture,
        $"HTTP/1.1 200 OK\r\nContent-Length: {content.Length}\r\n{lines}\r\n{content}");

    /// <summary>The next connection of the gateway, to be played by hand.</summary>
    public Task<ScriptedConnection> AcceptAsync()
        => _accepted.Reader.ReadAsync().InTime();

    /// <summary>Answers every request on every further connection. Call before the first one.</summary>
    public void Answers(Func<ReceivedMessage, string> answer) => _answer = answer;

    /// <summary>Answers every request the same way.</summary>
    public void Answers(string answer) => Answers(_ => answer);

    /// <summary>Refuses connections from now on; those that are open stay.</summary>
    public void StopListening() => _listener.Dispose();

    /// <summary>From now on connects neither succeed nor fail: a machine that has hung.</summary>
    public async Task StopAcceptingAsync()
    {
        StopListening();
        _listener = _network.Listen(Port, backlog: 0);
        await _network.FillBacklogAsync(Address);
    }

    /// <summary>Refuses connections, and resets those that are open: a process that was killed.</summary>
    public void Kill()
    {
        StopListening();
        foreach (var wire in _wires)
            wire.Reset();
    }

    /// <summary>Listens again, at the same address.</summary>
    public void Revive()
    {
        _listener = _network.Listen(Port);
        _ = AcceptAllAsync(_listener);
    }

    /// <inheritdoc/>
    public void Dispose() => Kill();

    private int Port => int.Parse(Address.AsSpan(Address.LastIndexOf(':') + 1), CultureInfo.InvariantCulture);

    private async Task AcceptAllAsync(IWireListener listener)
    {
        while (await listener.AcceptAsync() is { } wire)
        {
            Interlocked.Increment(ref _connections);
            _wires.Add(wire);
            var connection = new ScriptedConnection(wire);
            if (_answer is { } answer)
                _ = AnswerAllAsync(connection, answer);
            else
                await _accepted.Writer.WriteAsync(connection);
        }
    }

    private async Task AnswerAllAsync(ScriptedConnection connection, Func<ReceivedMessage, string> answer)
    {
        while (await connection.TryReadRequestAsync() is { } request)
        {
            Interlocked.Increment(ref _requests);
            if (!await connection.TrySendAsync(answer(request)))
                return;
        }
    }
}
