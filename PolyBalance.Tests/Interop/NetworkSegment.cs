using System.Net.Sockets;
using System.Runtime.InteropServices;
using NUnit.Framework;

namespace PolyBalance.Tests.Interop;

/// <summary>
/// A network of machines inside this one: each is a network namespace with an interface eth0 and an address, and a
/// bridge joins them. The bridge is in a namespace of its own, so that nothing of it touches the network of this one.
/// </summary>
internal sealed partial class NetworkSegment : IAsyncDisposable
{
    private const int NewNetwork = 0x40000000;
    private const string Switch = "switch";

    private static int _count;

    private readonly string _ip = Programs.Find("ip");
    private readonly string _prefix = $"pb{Environment.ProcessId}-{Interlocked.Increment(ref _count)}-";
    private readonly List<string> _machines = [];

    private NetworkSegment()
    {
    }

    /// <summary>Builds it.</summary>
    /// <param name="machines">The machines with their addresses, such as <c>10.0.0.1/24</c>.</param>
    /// <exception cref="IgnoreException">This user or this system may have no network namespaces.</exception>
    public static async Task<NetworkSegment> StartAsync(params (string Name, string Address)[] machines)
    {
        var segment = new NetworkSegment();
        try
        {
            var first = await RunningProgram.RunAsync(segment._ip, "netns", "add", segment._prefix + Switch);
            if (first.ExitCode != 0)
                Assert.Ignore($"network namespaces are not to be had here: {first.Errors}");

            segment._machines.Add(Switch);
            await segment.IpAsync(Switch, "link", "add", "br0", "type", "bridge");
            await segment.IpAsync(Switch, "link", "set", "br0", "up");
            foreach (var (name, address) in machines)
                await segment.AddAsync(name, address);
            return segment;
        }
        catch
        {
            await segment.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a program on a machine; it is the process itself, not a parent of it.</summary>
    public RunningProgram Start(string machine, string path, params IEnumerable<string> arguments)
        => RunningProgram.Start(_ip, ["netns", "exec", _prefix + machine, path, .. arguments]);

    /// <summary>A socket of a machine, for a client that runs in the test itself.</summary>
    public Socket CreateSocket(string machine)
    {
        Socket? socket = null;
        Exception? failure = null;

        // A thread of its own, which ends with the namespace it has entered: no other code may ever run in there.
        var thread = new Thread(() =>
        {
            try
            {
                using var file = File.OpenHandle($"/run/netns/{_prefix}{machine}");
                if (EnterNamespace((int)file.DangerousGetHandle(), NewNetwork) != 0)
                    throw new InvalidOperationException($"setns: error {Marshal.GetLastPInvokeError()}");
                socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        });
        thread.Start();
        thread.Join();
        return socket ?? throw new InvalidOperationException($"no socket on {machine}", failure);
    }

    /// <summary>Pulls a machine's cable, or puts it back.</summary>
    public Task CableAsync(string machine, bool isIn) => IpAsync(Switch, "link", "set", machine, isIn ? "up" : "down");

    public async ValueTask DisposeAsync()
    {
        foreach (var machine in _machines)
        {
            // What still runs there was started by this test, directly or by keepalived.
            var left = await RunningProgram.RunAsync(_ip, "netns", "pids", _prefix + machine);
            foreach (var id in left.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                _ = SendSignal(int.Parse(id), RunningProgram.SigKill);
            await RunningProgram.RunAsync(_ip, "netns", "del", _prefix + machine);
        }
    }

    private async Task AddAsync(string name, string address)
    {
        var added = await RunningProgram.RunAsync(_ip, "netns", "add", _prefix + name);
        Assert.That(added.ExitCode, Is.Zero, added.Everything);
        _machines.Add(name);
        await IpAsync(name, "link", "add", "eth0", "type", "veth", "peer", "name", name, "netns", _prefix + Switch);
        await IpAsync(Switch, "link", "set", name, "master", "br0", "up");
        await IpAsync(name, "address", "add", address, "dev", "eth0");
        await IpAsync(name, "link", "set", "lo", "up");
        await IpAsync(name, "link", "set", "eth0", "up");
    }

    private async Task IpAsync(string machine, params string[] arguments)
    {
        var done = await RunningProgram.RunAsync(_ip, ["-n", _prefix + machine, .. arguments]);
        Assert.That(done.ExitCode, Is.Zero, $"ip {string.Join(' ', arguments)}: {done.Everything}");
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int EnterNamespace(int file, int kind);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);
}
