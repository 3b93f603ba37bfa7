using System.Net;
using System.Net.Sockets;
using System.Text;
using PolyBalance.Benchmarks.Compare.Figures;

namespace PolyBalance.Benchmarks.Compare;

/// <summary>
/// Opens many connections, lets each have one exchange, and looks what they cost while they say nothing.
/// </summary>
internal static class IdleConnections
{
    private const int WarmUpRequests = 500;

    // For the results, the backends' side of things and everything else that is open.
    private const int HandlesSpared = 1_000;
    private const int PortsSpared = 2_000;

    // Until the memory says what it will say a while later too. Unit: seconds.
    private const double SettlingMax = 1.5;

    /// <summary>How many connections this machine can open.</summary>
    /// <param name="wanted">How many there should be.</param>
    public static int CountWithin(int wanted)
    {
        var ports = File.ReadAllText("/proc/sys/net/ipv4/ip_local_port_range").Split();
        var portCount = int.TryParse(ports[0], out var first) && int.TryParse(ports[1], out var last)
            ? last - first + 1
            : int.MaxValue;
        return Math.Clamp(Math.Min(Machine.OpenFilesMax - HandlesSpared, portCount - PortsSpared), 1, wanted);
    }

    /// <summary>Measures a proxy that was started for this and has not seen any other load.</summary>
    /// <param name="proxy">Whom.</param>
    /// <param name="load">Its connections are the ones wanted.</param>
    /// <param name="round">1-based.</param>
    /// <param name="count">How many connections.</param>
    /// <param name="seconds">How long nothing happens.</param>
    /// <param name="stop">The comparison is over.</param>
    public static async Task<Measurement> MeasureAsync(
        ProxyUnderTest proxy, Load load, int round, int count, int seconds, CancellationToken stop)
    {
        var settling = TimeSpan.FromSeconds(Math.Min(SettlingMax, seconds / 3.0));
        var sockets = new List<Socket>(count);
        try
        {
            // The first requests bring in code and pools, which no connection is charged for.
            await Task.Run(() => WarmUp(proxy.Port, stop), stop);
            await Task.Delay(settling, TimeProvider.System, stop);
            var memoryBefore = proxy.MemoryMib;
            var cpuBefore = proxy.Cpu;
            var errors = await Task.Run(() => Open(proxy.Port, count, sockets, stop), stop);
            var cpu = proxy.Cpu - cpuBefore;
            await Task.Delay(settling, TimeProvider.System, stop);

            var memory = proxy.MemoryMib;
            var runTime = proxy.RunTime;
            await Task.Delay(TimeSpan.FromSeconds(seconds), TimeProvider.System, stop);
            runTime = proxy.RunTime - runTime;
            return new(proxy.Name, load.Name, round)
            {
                Requests = sockets.Count,
                Seconds = seconds,
                UserSeconds = cpu.User,
                SystemSeconds = cpu.System,
                Errors = errors + new LoadErrors(Read: sockets.Count(HasEnded)),
                MemoryMib = memory,
                Idle = new(
                    sockets.Count, (memory - memoryBefore) * 1024 / Math.Max(1, sockets.Count),
                    runTime * 1000 / seconds),
            };
        }
        finally
        {
            foreach (var socket in sockets)
                Abort(socket);
        }
    }

    private static void WarmUp(int port, CancellationToken stop)
    {
        for (var i = 0; i < WarmUpRequests && !stop.IsCancellationRequested; i++)
        {
            using var socket = Connect(port);
            _ = Get(socket, port);
            Abort(socket);
        }
    }

    private static LoadErrors Open(int port, int count, List<Socket> sockets, CancellationToken stop)
    {
        var errors = new LoadErrors();
        for (var i = 0; i < count && !stop.IsCancellationRequested; i++)
        {
            try
            {
                var socket = Connect(port);
                sockets.Add(socket);
                if (!Get(socket, port))
                    errors += new LoadErrors(Status: 1);
            }
            catch (SocketException)
            {
                errors += new LoadErrors(Connect: 1);
            }
        }

        return errors;
    }

    private static Socket Connect(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveTimeout = 5_000,
        };
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // The response is short: it is there when its content is, and the content ends in a known character.
    private static bool Get(Socket socket, int port)
    {
        socket.Send(Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"));
        Span<byte> buffer = stackalloc byte[2048];
        var length = 0;
        while (length < buffer.Length)
        {
            var count = socket.Receive(buffer[length..]);
            length += count;
            var head = buffer[..length].IndexOf("\r\n\r\n"u8);
            if (count == 0 || (head > 0 && length >= head + 4 + BackendPair.SmallLength))
                break;
        }

        return buffer[..length].StartsWith("HTTP/1.1 200 "u8);
    }

    // Readable without a byte to read: the proxy has closed it.
    private static bool HasEnded(Socket socket) => socket.Poll(0, SelectMode.SelectRead) && socket.Available == 0;

    // Without the wait after a close, which would keep ten thousand ports from the next round.
    private static void Abort(Socket socket)
    {
        socket.LingerState = new(enable: true, seconds: 0);
        socket.Dispose();
    }
}
