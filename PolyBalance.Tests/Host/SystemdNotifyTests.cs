using System.Net.Sockets;
using System.Text;
using NUnit.Framework;
using PolyBalance.Host;

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

        SystemdNotify.Ready(_ => isAbstract ? "@" + path : path);
        SystemdNotify.Stopping(_ => isAbstract ? "@" + path : path);

        Assert.That(Receive(socket), Is.EqualTo("READY=1"));
        Assert.That(Receive(socket), Is.EqualTo("STOPPING=1"));
        folder.Delete(recursive: true);
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase("@")]
    [TestCase("vsock:2:1234")]
    [TestCase("/nowhere/at/all")]
    public void Without_systemd_nothing_happens(string? path)
        => Assert.That(() => SystemdNotify.Ready(_ => path), Throws.Nothing);

    [Test]
    public void A_path_that_no_socket_can_have_is_no_problem()
        => Assert.That(() => SystemdNotify.Ready(_ => "/" + new string('a', 200)), Throws.Nothing);

    private static string Receive(Socket socket)
    {
        var bytes = new byte[64];
        return Encoding.ASCII.GetString(bytes, 0, socket.Receive(bytes));
    }
}
