using System.Globalization;
using System.Net.Sockets;
using System.Text;
using NUnit.Framework;
using PolyBalance.Host;
using PolyBalance.Host.Lifecycle;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Host;

internal sealed class SystemdNotifyTests
{
    [TestCase(false, TestName = "A socket in the file system hears of the start and the end")]
    [TestCase(true, TestName = "An abstract socket hears of the start and the end")]
    public void Systemd_hears_of_the_start_and_the_end(bool isAbstract)
    {
        var folder = Directory.CreateTempSubdirectory("polybalance-");
        var path = Path.Combine(folder.FullName, "notify");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(isAbstract ? "\0" + path : path));
        socket.ReceiveTimeout = 10_000;

        var systemd = new SystemdNotify(name => name == "NOTIFY_SOCKET" ? isAbstract ? "@" + path : path : null);
        systemd.Ready("Serving");
        systemd.Stopping("Draining");

        Assert.That(Receive(socket), Is.EqualTo("READY=1\nSTATUS=Serving"));
        Assert.That(Receive(socket), Is.EqualTo("STOPPING=1\nSTATUS=Draining"));
        folder.Delete(recursive: true);
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase("@")]
    [TestCase("vsock:2:1234")]
    [TestCase("/nowhere/at/all")]
    public void Without_systemd_nothing_happens(string? path)
        => Assert.That(() => new SystemdNotify(_ => path).Ready("Serving"), Throws.Nothing);

    [Test]
    public void A_path_that_no_socket_can_have_is_no_problem()
        => Assert.That(() => new SystemdNotify(_ => "/" + new string('a', 200)).Ready("Serving"), Throws.Nothing);

    [Test]
    public void A_reload_is_dated_with_the_clock_that_systemd_compares_it_with()
    {
        var folder = Directory.CreateTempSubdirectory("polybalance-");
        var path = Path.Combine(folder.FullName, "notify");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.ReceiveTimeout = 10_000;
        var before = Environment.TickCount64;

        new SystemdNotify(name => name == "NOTIFY_SOCKET" ? path : null).Reloading();

        var lines = Receive(socket).Split('\n');
        Assert.That((lines[0], lines[2]), Is.EqualTo(("RELOADING=1", "STATUS=Reloading")));
        var said = long.Parse(lines[1].Split('=')[1], CultureInfo.InvariantCulture);
        Assert.That(said / 1000, Is.InRange(before - 50, Environment.TickCount64 + 50), "CLOCK_MONOTONIC");
        folder.Delete(recursive: true);
    }

    [TestCase("20000000", null, 10)]
    [TestCase("1000000", "own", 0.5)]
    [TestCase("1000000", "1", null)]
    [TestCase("0", null, null)]
    [TestCase("soon", null, null)]
    [TestCase(null, null, null)]
    public void The_watchdog_is_fed_twice_as_often_as_it_asks_for(string? microseconds, string? process, double? period)
    {
        var own = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        var systemd = new SystemdNotify(name => name switch
        {
            "WATCHDOG_USEC" => microseconds,
            "WATCHDOG_PID" => process == "own" ? own : process,
            _ => null,
        });

        Assert.That(systemd.WatchdogPeriod?.TotalSeconds, Is.EqualTo(period));
    }

    [Test]
    public async Task The_watchdog_is_fed_at_once_and_after_each_period()
    {
        var folder = Directory.CreateTempSubdirectory("polybalance-");
        var path = Path.Combine(folder.FullName, "notify");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.ReceiveTimeout = 10_000;
        var systemd = new SystemdNotify(name => name switch
        {
            "NOTIFY_SOCKET" => path,
            "WATCHDOG_USEC" => "4000000",
            _ => null,
        });
        await using var gateway = await LiveGateway.StartAsync(
            "listeners: [ { bind: \"127.0.0.1:1\" } ]\nclusters: { web: { backends: [ \"127.0.0.1:9\" ] } }\n");
        var clock = new ManualClock();

        await using var watched = SystemdWatch.Start(systemd, gateway.Server, clock);
        Assert.That(Receive(socket), Is.EqualTo("WATCHDOG=1"), "whoever was here before may have said it long ago");
        clock.Advance(TimeSpan.FromSeconds(2));

        Assert.That(Receive(socket), Is.EqualTo("WATCHDOG=1"));
        folder.Delete(recursive: true);
    }

    private static string Receive(Socket socket)
    {
        var bytes = new byte[256];
        return Encoding.ASCII.GetString(bytes, 0, socket.Receive(bytes));
    }
}
