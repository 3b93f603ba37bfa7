using System.Net;
using System.Net.Sockets;
using NUnit.Framework;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;
using PolyBalance.Transport.Linux;

namespace PolyBalance.Tests.Transport;

/// <summary>
/// How many clients the kernel accepts before we have looked at one: all while there are files for all, else one.
/// </summary>
[Platform("Linux", Reason = "io_uring")]
internal sealed class RingAcceptTests
{
    private const int Burst = 12;

    private readonly List<Socket> _clients = [];
    private readonly List<int> _turns = [];     // in which each was accepted; loop thread
    private FileAllowance _files = null!;
    private ManualClock _clock = null!;
    private Socket _socket = null!;
    private RingTransport _transport = null!;
    private RingAccept _accept = null!;
    private int _accepted;

    private EventLoop Loop => _transport.Loops[0];

    private int Accepted => Volatile.Read(ref _accepted);

    [SetUp]
    public void Start()
    {
        _files = new(20_000);
        _clock = new();
        _transport = RingOrNone.Start(_clock, loops: 1, files: _files);
        _files.AddListening(1);
        _socket = Open();
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _accept = new(Loop, (int)_socket.SafeHandle.DangerousGetHandle(), _transport.Heartbeat, _files, OnAccepted);
    }

    [TearDown]
    public async Task Stop()
    {
        foreach (var client in _clients)
            client.Dispose();
        _clients.Clear();
        if (_transport is null)
            return;

        await _accept.CloseAsync().InTime();
        await _transport.DisposeAsync();
        _socket.Dispose();
    }

    [Test]
    public async Task Who_is_left_in_the_queue_at_the_end_is_taken_over()
    {
        var before = Accepted;
        _socket.Listen(64);
        for (var client = 0; client < Burst; client++)
            Connect();
        await _accept.CloseAsync().InTime();
        Assert.That(Accepted, Is.EqualTo(before), "nobody has begun to accept");

        _accept.TakeRest();

        await Eventually.HoldsAsync(() => Accepted == before + Burst, () => $"{Accepted - before} of {Burst}");
    }

    [Test]
    public async Task An_accept_that_fails_is_tried_again_at_the_next_tick_and_not_before()
    {
        // Nobody listens yet, so the kernel refuses to accept.
        const int Looks = 100;
        _accept.Start();
        var turns = await TurnsAsync();
        for (var look = 0; look < Looks; look++)
            await TurnsAsync();
        Assert.That(await TurnsAsync() - turns, Is.LessThan(3 * Looks), "it spins");

        for (var tick = 0; tick < 5; tick++)
        {
            _clock.Advance(Heartbeat.Period);
            await TurnsAsync();
        }

        _socket.Listen(64);
        Connect();
        await Eventually.HoldsAsync(
            () =>
            {
                _clock.Advance(Heartbeat.Period);
                return Accepted == 1;
            },
            () => "it has been accepted");
    }

    [Test]
    public async Task While_there_are_files_for_all_a_burst_is_accepted_at_once()
    {
        await ListenAsync();

        Assert.That(await BurstAsync(), Is.LessThan(Burst / 2));
    }

    [Test]
    public async Task While_files_are_few_each_is_looked_at_before_the_next_is_accepted()
    {
        _files.Add(_files.Max - _files.Open);
        await ListenAsync();

        Assert.That(await BurstAsync(), Is.EqualTo(Burst));
    }

    [Test]
    public async Task What_is_left_decides_anew_with_every_client()
    {
        await ListenAsync();
        var others = _files.Max - _files.Open;
        _files.Add(others);
        await ConnectAsync();
        Assert.That(await BurstAsync(), Is.EqualTo(Burst));

        _files.Return(others);
        await ConnectAsync();
        Assert.That(await BurstAsync(), Is.LessThan(Burst / 2));
    }

    private static Socket Open() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    private void OnAccepted(EventLoop loop, int file)
    {
        _turns.Add(loop.Turn);
        Libc.Close(file);
        Interlocked.Increment(ref _accepted);
    }

    private async Task ListenAsync()
    {
        _socket.Listen(64);
        _accept.Start();
        await ConnectAsync();
    }

    private void Connect()
    {
        var client = Open();
        _clients.Add(client);
        client.Connect(_socket.LocalEndPoint!);
    }

    private async Task ConnectAsync()
    {
        var before = Accepted;
        Connect();
        await Eventually.HoldsAsync(() => Accepted == before + 1, () => $"{Accepted} is one more than {before}");
    }

    // A look takes a turn or two itself.
    private Task<int> TurnsAsync() => Loop.RunAsync(() => Task.FromResult(Loop.Turn));

    // Many come while the loop is busy. How many turns it needs to take them in.
    private async Task<int> BurstAsync()
    {
        var before = Accepted;
        using var isBusy = new ManualResetEventSlim();
        using var mayGoOn = new ManualResetEventSlim();
        Loop.Post(
            _ =>
            {
                _turns.Clear();
                isBusy.Set();
                mayGoOn.Wait();
            },
            null);
        isBusy.Wait();
        for (var count = 0; count < Burst; count++)
            Connect();
        mayGoOn.Set();

        await Eventually.HoldsAsync(() => Accepted == before + Burst, () => $"{Accepted - before} of {Burst} came");
        return await Loop.RunAsync(() => Task.FromResult(_turns.Distinct().Count()));
    }
}
