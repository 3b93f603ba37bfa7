using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.ObjectPool;
using PolyBalance.Admin;
using PolyBalance.Configuration;
using PolyBalance.Proxy;
using PolyBalance.Telemetry;
using PolyBalance.Transport;

namespace PolyBalance.Server;

/// <summary>Every listener of the gateway: opens what a configuration names, and follows the next one.</summary>
/// <remarks>One caller at a time. Connections are counted by any thread.</remarks>
/// <param name="transport">Where clients come from.</param>
/// <param name="proxy">Answers what traffic listeners get.</param>
/// <param name="admin">Answers what the admin listener gets, and what traffic listeners expose.</param>
/// <param name="metrics">Counts what traffic listeners get.</param>
/// <param name="logger">Hears of every address.</param>
/// <param name="given">Sockets that listen already: an address of theirs is not bound.</param>
internal sealed class ListenerSet(
    ITransport transport, IExchangeHandler proxy, IExchangeHandler admin, GatewayMetrics metrics, ILogger logger,
    GivenSockets given)
{
    private readonly ObjectPool<Exchange> _exchanges =
        new LanePool<Exchange>(static () => new(), static exchange => exchange.TryReset(), Limits.SuspendedCallsKept);

    private List<Listener> _open = [];

    /// <summary>Connections that carry traffic.</summary>
    public ConnectionRegistry Traffic { get; } = new(firstNumber: 0);

    /// <summary>Connections of operators.</summary>
    public ConnectionRegistry Operators { get; } = new(firstNumber: 1L << 39);

    /// <summary>What listens where, with real ports: "traffic on 0.0.0.0:8000".</summary>
    public List<string> Listening => _open.ConvertAll(listener => $"{listener.Purpose} on {listener.Address}");

    /// <summary>The addresses of the traffic listeners, in the order of the file, with real ports.</summary>
    public List<string> TrafficAddresses
        => _open.FindAll(listener => listener.IsTraffic).ConvertAll(listener => listener.Address);

    /// <summary>The address of the admin listener, with its real port; null: there is none.</summary>
    public string? AdminAddress => _open.Find(listener => !listener.IsTraffic)?.Address;

    /// <summary>
    /// Binds every address that the options name and nobody listens on yet; all of them, or none. Nothing is accepted
    /// before <see cref="CommitAsync"/>.
    /// </summary>
    /// <exception cref="ListenException">An address cannot be listened on. The message says what to do.</exception>
    public async Task<ListenerChange> PrepareAsync(ProxyOptions options, IExchangeSink? sink)
    {
        var wanted = new List<(bool IsTraffic, ListenerOptions Options)>();
        foreach (var listener in options.Listeners)
            wanted.Add((true, listener));
        if (options.Admin is { } operators)
            wanted.Add((false, new ListenerOptions { Bind = operators.Bind }));

        var left = new List<Listener>(_open);
        var next = new List<Listener>();
        var fresh = new List<Listener>();
        try
        {
            foreach (var (isTraffic, listener) in wanted)
            {
                var index = left.FindIndex(open => open.IsTraffic == isTraffic && open.Bind == listener.Bind);
                if (index >= 0)
                {
                    next.Add(left[index]);
                    left.RemoveAt(index);
                    continue;
                }

                var opened = Open(isTraffic, listener, options, sink);
                fresh.Add(opened);
                next.Add(opened);
            }
        }
        catch (ListenException)
        {
            await CloseAsync(fresh);
            throw;
        }

        return new(wanted.ConvertAll(one => one.Options), next, fresh, left);
    }

    /// <summary>
    /// Begins to accept on what is new, lets go of what is gone, and has the others follow the options.
    /// </summary>
    public async Task CommitAsync(ListenerChange change, ProxyOptions options, IExchangeSink? sink)
    {
        _open = change.Next;
        for (var index = 0; index < change.Next.Count; index++)
        {
            var listener = change.Next[index];
            listener.ConnectionsMax = MaxOf(listener.IsTraffic, options);
            listener.Wiring.Follow(
                HandlerOf(listener.IsTraffic, change.Options[index]),
                RulesOf(listener.IsTraffic, change.Options[index], options),
                listener.IsTraffic ? sink : null);
        }

        foreach (var listener in change.Fresh)
            Begin(listener);
        await CloseAsync(change.Gone);
        foreach (var listener in change.Gone)
        {
            Log.ListeningNoMore(logger, listener.Purpose, listener.Address);
            (listener.IsTraffic ? Traffic : Operators).Drain(listener.Wiring);
        }
    }

    /// <summary>Gives a change up before it is committed.</summary>
    public Task AbandonAsync(ListenerChange change) => CloseAsync(change.Fresh);

    /// <summary>What a process that takes over is to be given: every socket that listens here.</summary>
    public List<(Socket Socket, HandedSocket About)> Sockets
        => [.. from listener in _open
               let sockets = listener.Sockets
               where sockets is not null
               from socket in sockets.All
               select (socket, new HandedSocket(sockets.Address.ToString()!, sockets.AreKept))];

    /// <summary>
    /// Stops accepting, also what operators ask; whoever connects waits in the queues of the sockets, which stay open.
    /// </summary>
    public async Task ReleaseAsync()
    {
        foreach (var listener in _open)
            listener.Sockets?.Share();
        await CloseAsync(_open);
    }

    /// <summary>Accepts again after <see cref="ReleaseAsync"/>.</summary>
    public void TakeBack()
    {
        _open = _open.ConvertAll(listener =>
        {
            var address = listener.Sockets?.Address ?? EndPointOf(listener.Bind);
            return listener.On(transport.Listen(address, given.Borrow(address)));
        });
        foreach (var listener in _open)
            Begin(listener);
    }

    /// <summary>Lets go of the sockets after <see cref="ReleaseAsync"/>: another process holds them now.</summary>
    public void LetGo() => given.Dispose();

    /// <summary>Accepts no more traffic; operators still get answers.</summary>
    public Task CloseTrafficAsync() => CloseAsync(_open.FindAll(listener => listener.IsTraffic));

    /// <summary>Closes every listener and every connection.</summary>
    public async Task CloseAsync()
    {
        await CloseAsync(_open);
        Traffic.Abort();
        Operators.Abort();
    }

    private static void Begin(Listener listener)
    {
        listener.Sockets?.Own();
        listener.Start();
    }

    private async Task CloseAsync(List<Listener> listeners)
    {
        foreach (var listener in listeners)
        {
            if (await listener.TryEndAsync() && listener.Sockets is { AreShared: true } shared)
                given.Return(shared);
        }
    }

    private Listener Open(bool isTraffic, ListenerOptions listener, ProxyOptions options, IExchangeSink? sink)
    {
        var address = EndPointOf(listener.Bind);
        var sockets = given.Borrow(address);
        var socket = transport.Listen(address, sockets);
        var wiring = new ListenerWiring(
            HandlerOf(isTraffic, listener), RulesOf(isTraffic, listener, options), isTraffic ? sink : null,
            transport.Heartbeat, _exchanges, logger, isTraffic ? metrics : null);
        var opened = new Listener(
            socket, wiring, isTraffic ? Traffic : Operators, isTraffic ? transport.Files : null)
        {
            IsTraffic = isTraffic,
            Bind = listener.Bind,
            ConnectionsMax = MaxOf(isTraffic, options),
        };
        if (sockets is null)
            Log.Listening(logger, opened.Purpose, opened.Address, transport.Name);
        else if (sockets.AreKept)
            Log.ListeningOnGiven(logger, opened.Purpose, opened.Address, transport.Name);
        else
            Log.ListeningOnHandedOver(logger, opened.Purpose, opened.Address, transport.Name);
        return opened;
    }

    private IExchangeHandler HandlerOf(bool isTraffic, ListenerOptions listener)
        => !isTraffic ? admin
            : listener.Expose.Count > 0 ? new ExposedPaths(listener.Expose, admin, proxy)
            : proxy;

    // What operators ask for belongs to no trace.
    private ClientRules RulesOf(bool isTraffic, ListenerOptions listener, ProxyOptions options)
        => new(options.Timeouts, options.Limits, listener, transport.Heartbeat, isTraffic ? options.Tracing : null);

    private static int MaxOf(bool isTraffic, ProxyOptions options)
        => isTraffic ? options.Limits.ConnectionsMax : Limits.OperatorConnectionsMax;

    private static EndPoint EndPointOf(Address address)
    {
        if (address.IsUnix)
            return new UnixDomainSocketEndPoint(address.Path);
        if (address.Host.Length == 0)
            return new IPEndPoint(Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, address.Port);
        if (IPAddress.TryParse(address.Host, out var literal))
            return new IPEndPoint(literal, address.Port);

        try
        {
            return new IPEndPoint(Dns.GetHostAddresses(address.Host)[0], address.Port);
        }
        catch (SocketException exception)
        {
            throw new ListenException(
                $"Cannot listen on {address}: the name cannot be resolved. Write an IP address.", exception);
        }
    }
}

/// <summary>How the listeners of one configuration become those of the next.</summary>
/// <param name="Options">What holds for each of the next.</param>
/// <param name="Next">All of them, in the order of the file.</param>
/// <param name="Fresh">Those that do not accept yet.</param>
/// <param name="Gone">Those that are listeners no more.</param>
internal sealed record ListenerChange(
    List<ListenerOptions> Options, List<Listener> Next, List<Listener> Fresh, List<Listener> Gone);
