using System.Net.Sockets;
using NUnit.Framework;
using PolyBalance.Transport.Linux;

namespace PolyBalance.Tests.Transport;

[Platform("Linux", Reason = "SCM_RIGHTS")]
internal sealed class FilePassingTests
{
    private Socket _here = null!;
    private Socket _there = null!;

    [SetUp]
    public void Connect()
    {
        using var door = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var name = new UnixDomainSocketEndPoint($"\0polybalance-test-{Guid.NewGuid():N}");
        door.Bind(name);
        door.Listen(1);
        _here = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _here.Connect(name);
        _there = door.Accept();
    }

    [TearDown]
    public void Close()
    {
        _here.Dispose();
        _there.Dispose();
    }

    [TestCase(1)]
    [TestCase(FilePassing.BatchMax)]
    public void Files_arrive_as_others_of_the_same_and_are_closed_in_programs(int count)
    {
        using var file = new FileStream(Path.GetTempFileName(), FileMode.Open, FileAccess.ReadWrite, FileShare.None, 1);
        file.Write("hello"u8);
        var given = Enumerable.Repeat((int)file.SafeFileHandle.DangerousGetHandle(), count).ToArray();

        Assert.That(FilePassing.Send(_here, given), Is.Zero);
        var taken = new int[count];
        Assert.That(FilePassing.TryReceive(_there, taken), Is.True);

        Assert.That(taken.Intersect(given), Is.Empty);
        Assert.That(taken.Distinct().Count(), Is.EqualTo(count));
        foreach (var one in taken)
        {
            Assert.That(File.ResolveLinkTarget($"/proc/self/fd/{one}", false)!.FullName, Is.EqualTo(file.Name));
            var flags = File.ReadLines($"/proc/self/fdinfo/{one}")
                .Single(line => line.StartsWith("flags:", StringComparison.Ordinal));
            Assert.That(Convert.ToInt32(flags.Split('\t')[1], 8) & 0x80000, Is.Not.Zero, "O_CLOEXEC");
            Libc.Close(one);
        }

        File.Delete(file.Name);
    }

    [Test]
    public void Other_than_expected_nothing_stays_open()
    {
        using var file = File.Open(Path.GetTempFileName(), FileMode.Open, FileAccess.ReadWrite);
        var given = (int)file.SafeFileHandle.DangerousGetHandle();

        Assert.That(FilePassing.Send(_here, [given, given]), Is.Zero);
        Assert.That(FilePassing.TryReceive(_there, new int[3]), Is.False, "three are not two");
        _here.Send("F"u8);
        Assert.That(FilePassing.TryReceive(_there, new int[1]), Is.False, "a byte alone is no file");
        Assert.That(FilePassing.TryReceive(_there, new int[1]), Is.False, "there is nothing");
        _here.Close();
        Assert.That(FilePassing.TryReceive(_there, new int[1]), Is.False, "there is nobody");

        var open = Directory.GetFiles("/proc/self/fd").Select(Target).Count(path => path == file.Name);
        Assert.That(open, Is.EqualTo(1));
        File.Delete(file.Name);
    }

    private static string? Target(string link)
    {
        try
        {
            return File.ResolveLinkTarget(link, false)?.FullName;
        }
        catch (IOException)
        {
            return null;        // closed by another test meanwhile
        }
    }
}
