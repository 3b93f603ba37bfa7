using System.Buffers;
using System.Net;
using System.Text;
using Microsoft.Extensions.Logging;
using PolyBalance.Configuration;
using PolyBalance.Proxy;
using PolyBalance.Transport;
using PolyBalance.Transport.Sockets;

namespace PolyBalance.Server;

/// <summary>
/// A small HTTP backend on PolyBalance's own engine: for the demo, for trying out a configuration, for tests.
/// </summary>
public sealed class SampleBackend : IAsyncDisposable
{
    private readonly SocketTransport _transport;
    private readonly ConnectionRegistry _connections = new(firstNumber: 0);
    private readonly SampleHandler _handler;
    private readonly Listener _listener;

    private SampleBackend(SampleBackendOptions options, ILoggerFactory logs, IPEndPoint bind)
    {
        _transport = new(TimeProvider.System);
        _handler = new(options);
        var socket = _transport.Listen(bind);
        Port = ((IPEndPoint)socket.LocalEndPoint).Port;

        var timeouts = new ClientTimeoutOptions { Idle = options.KeepAlive ?? TimeSpan.FromSeconds(75) };
        var listener = new ListenerOptions { Bind = Configuration.Address.Tcp(bind.Address.ToString(), Port) };
        var rules = new ClientRules(timeouts, LimitOptions.Default, listener, _transport.Heartbeat);
        var exchanges = new LanePool<Exchange>(
            static () => new(), static exchange => exchange.TryReset(), Limits.SuspendedCallsKept);
        var wiring = new ListenerWiring(
            _handler, rules, sink: null, _transport.Heartbeat, exchanges, logs.CreateLogger("polybalance.backend"));
        _listener = new(socket, wiring, _connections, files: null)
        {
            IsTraffic = true,
            Bind = listener.Bind,
        };
        _listener.Start();
    }

    /// <summary>The port it listens on.</summary>
    public int Port { get; }

    /// <summary>Where it listens.</summary>
    public string Address => _listener.Address;

    /// <summary>Requests it has answered, failures included.</summary>
    public long Requests => _handler.Requests;

    /// <summary>Starts a backend.</summary>
    /// <exception cref="ListenException">The address cannot be listened on. The message says what to do.</exception>
    public static SampleBackend Start(SampleBackendOptions options, ILoggerFactory logs)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(logs);
        return IPEndPoint.TryParse(options.Bind, out var bind)
            ? new(options, logs, bind)
            : throw new ListenException($"Cannot listen on {options.Bind}: write an IP address and a port.");
    }

    /// <summary>Stops at once: connections are cut off, as if the process were killed.</summary>
    public async ValueTask DisposeAsync()
    {
        await _listener.TryEndAsync();
        _connections.Abort();
        await _transport.DisposeAsync();
    }

    /// <summary>Answers with its name, in the way its options say.</summary>
    private sealed class SampleHandler(SampleBackendOptions options) : IExchangeHandler, IBodyPace
    {
        private static readonly byte[] Failing = "out of order\n"u8.ToArray();

        private readonly byte[] _answer = Encoding.UTF8.GetBytes($"hello from {options.Name}\n");
        private readonly byte[] _nameLine = Encoding.ASCII.GetBytes($"X-Backend: {options.Name}\r\n");
        private long _requests;
        private long _failures;

        public long Requests => Interlocked.Read(ref _requests);

        public async ValueTask<FailureKind> HandleAsync(Exchange exchange)
        {
            var request = Interlocked.Increment(ref _requests);
            exchange.Upload.Begin(
                exchange.Connection, exchange.Request, exchange.RequestFraming, long.MaxValue, replayBytesMax: 0);
            if (exchange.Request.ExpectsContinue && !exchange.State.IsRequestRead)
                exchange.Connection.Output.Write("HTTP/1.1 100 Continue\r\n\r\n"u8);
            await exchange.Connection.Output.FlushAsync();
            var read = await exchange.Upload.RunAsync(null, exchange.RequestFraming, this);
            if (read.End != PumpEnd.Complete)
                return await LocalResponse.RefuseAsync(exchange, FailureKind.ClientClosed);

            if (!exchange.State.IsRequestRead)
                exchange.State.RequestReceived();
            exchange.Connection.IsIdle = true;
            if (options.Delay > TimeSpan.Zero)
                await Task.Delay(options.Delay, TimeProvider.System);

            // Probes always succeed: a backend that fails now and then is exactly one that looks healthy.
            var isProbe = exchange.Request.Path.SequenceEqual("/healthz"u8);
            if (isProbe || !IsFailure(request))
                return await LocalResponse.SendAsync(exchange, 200, "text/plain", _nameLine, _answer);

            return Interlocked.Increment(ref _failures) % 2 == 0
                ? await LocalResponse.RefuseAsync(exchange, FailureKind.ClientClosed)
                : await LocalResponse.SendAsync(exchange, 500, "text/plain", _nameLine, Failing);
        }

        public long BeforeWait() => Heartbeat.Unbounded;

        public void AfterWait()
        {
        }

        public void BeforeSend()
        {
        }

        public void AfterSend()
        {
        }

        public void Ended(PumpEnd end)
        {
        }

        // Evenly spread instead of by chance: a rate of 0.1 fails every tenth request.
        private bool IsFailure(long request)
            => Math.Floor(request * options.FailureRate) > Math.Floor((request - 1) * options.FailureRate);
    }
}
