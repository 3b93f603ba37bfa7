using System.Net;
using System.Net.Sockets;
using NUnit.Framework;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;
using PolyBalance.Transport.Sockets;

namespace PolyBalance.Tests.Transport;

/// <summary>
/// Every transport that has files counts them from their opening to their end, and opens no more than it may.
/// </summary>
[TestFixture("sockets", false)]
[TestFixture("sockets", true)]
[TestFixture("io_uring", false)]
[TestFixture("io_uring", true)]
internal sealed class FileCountTests(string name, bool isUnix)
{
    private const int Pairs = 20;

    private readonly List<Connection> _connections = [];
    private FileAllowance _files = null!;
    private ITransport _transport = null!;
    private IConnectionListener _listener = null!;
    private int _before;

    [SetUp]
    public void Start()
    {
        _files = new(4_096);
        _transport = name == "sockets"
            ? new SocketTransport(TimeProvider.System, files: _files)
            : RingOrNone.Start(TimeProvider.System, loops: 1, files: _files);
        _before = _files.Open;
        _listener = _transport.Listen(isUnix
            ? new UnixDomainSocketEndPoint(Path.Combine(Path.GetTempPath(), $"polybalance-{Guid.NewGuid():N}.sock"))
            : new IPEndPoint(IPAddress.Loopback, 0));
    }

    [TearDown]
    public async Task Stop()
    {
        if (_transport is null)
            return;

        foreach (var connection in _connections)
        {
            connection.Abort(CloseReason.Aborted);
            await connection.Input.CompleteAsync();
            await connection.Output.CompleteAsync();
        }

        _connections.Clear();
        await _listener.DisposeAsync();
        await CountsAsync(_before);
        await _transport.DisposeAsync();
    }

    [Test]
    public async Task A_connection_counts_until_its_file_is_closed()
    {
        Assert.That(_files.Open, Is.EqualTo(_before + 1), "the listening socket");
        for (var pair = 0; pair < Pairs; pair++)
            await ConnectAsync();
        await CountsAsync(_before + 1 + (2 * Pairs));

        // A read that is pending has to end before the file can be closed; an orderly end is another way than an abort.
        var reading = _connections[0].Input.ReadAsync().AsTask();
        _connections[0].Abort(CloseReason.Aborted);
        _connections[1].Close();
        _connections[1].Close();
        var next = _connections[2].Input.ReadAsync().AsTask();
        _connections[2].Close();
        Assert.That((await reading.InTime()).IsCompleted, Is.True);
        Assert.That((await next.InTime()).IsCompleted, Is.True);

        await CountsAsync(_before + 1 + (2 * Pairs) - 3);
    }

    [Test]
    public async Task A_connect_that_fails_gives_its_file_back()
    {
        var address = _listener.LocalEndPoint;
        await _listener.DisposeAsync();

        for (var turn = 0; turn < Pairs; turn++)
        {
            var result = await _transport.ConnectAsync(address, Seconds(20)).InTime();
            Assert.That(result.Failure, Is.EqualTo(FailureKind.ConnectRefused));
        }

        await CountsAsync(_before);
    }

    [Test]
    public async Task A_connect_beyond_the_allowance_is_not_even_tried()
    {
        var others = _files.Max - _files.Open;
        _files.Add(others);

        var refused = await _transport.ConnectAsync(_listener.LocalEndPoint, Seconds(20)).InTime();
        Assert.That(refused, Is.EqualTo(new ConnectResult(null, FailureKind.FilesExhausted)));
        Assert.That((_files.Open, _files.Refusals), Is.EqualTo((_files.Max, new FileRefusals(0, 1))));

        _files.Return(others);
        await ConnectAsync();
    }

    [Test]
    public async Task A_client_beyond_the_allowance_is_accepted_so_that_he_can_be_told()
    {
        var others = _files.Max - _files.Open - 1;
        _files.Add(others);
        Assert.That(_files.IsExceeded, Is.False);

        await ConnectAsync();

        Assert.That(_files.IsExceeded, Is.True);
        _files.Return(others);
    }

    private long Seconds(double seconds) => _transport.Heartbeat.Ticks(TimeSpan.FromSeconds(seconds));

    private Task CountsAsync(int files)
        => Eventually.HoldsAsync(() => _files.Open == files, () => $"{_files.Open} are {files}");

    private async Task ConnectAsync()
    {
        var accepting = _listener.AcceptAsync();
        var result = await _transport.ConnectAsync(_listener.LocalEndPoint, Seconds(20)).InTime();
        Assert.That(result.Failure, Is.EqualTo(FailureKind.None));
        _connections.Add(result.Connection!);
        _connections.Add((await accepting.InTime())!);
    }
}
