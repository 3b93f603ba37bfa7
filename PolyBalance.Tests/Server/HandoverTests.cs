using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using PolyBalance.Server;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Server;

/// <summary>One gateway takes over from another one: all that it knew goes on, or nothing has happened.</summary>
[Platform("Linux", Reason = "files are passed between processes")]
internal sealed class HandoverTests
{
    private const string Head = """
        listeners: [ { bind: "127.0.0.1:1" }, { bind: "unix:SOCKET" } ]
        admin: { bind: "127.0.0.1:9" }

        """;

    private SampleBackend _a = null!;
    private SampleBackend _b = null!;
    private LiveGateway _old = null!;
    private string _folder = "";
    private Successor _successor = null!;

    private string Text => Head.Replace("SOCKET", Path.Combine(_folder, "s"), StringComparison.Ordinal)
        + $"clusters: {{ web: {{ sticky: {{}}, backends: [ \"{_a.Address}\", \"{_b.Address}\" ] }} }}\n";

    [SetUp]
    public async Task Start()
    {
        _folder = Directory.CreateTempSubdirectory("polybalance-").FullName;
        _a = SampleBackend.Start(new() { Bind = "127.0.0.1:0", Name = "a" }, NullLoggerFactory.Instance);
        _b = SampleBackend.Start(new() { Bind = "127.0.0.1:0", Name = "b" }, NullLoggerFactory.Instance);
        _old = await LiveGateway.StartAsync(Text);
        _successor = Successor.Expect();
    }

    [TearDown]
    public async Task End()
    {
        _successor.Dispose();
        await _old.DisposeAsync();
        await _a.DisposeAsync();
        await _b.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public async Task New_clients_go_to_the_new_one_and_all_that_was_known_goes_on()
    {
        using var session = await _old.GetAsync("/");
        var cookie = session.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        var home = await session.Content.ReadAsStringAsync();
        Assert.That((await _old.AskAsync("POST", "/admin/algorithm", """{"algorithm":"random"}""")).Status,
            Is.EqualTo(200));
        Assert.That((await _old.AskAsync("PATCH", $"/admin/backends/{_b.Address}", """{"weight":7}""")).Status,
            Is.EqualTo(200));
        Assert.That((await _old.AskAsync(
            "POST", "/admin/backends",
            """{"address":"127.0.0.1:9","name":"extra","weight":3,"health":"off"}""")).Status, Is.EqualTo(201));
        Assert.That((await _old.AskAsync("POST", "/admin/backends/extra/drain", "")).Status, Is.EqualTo(200));
        var addresses = _old.Server.TrafficAddresses;

        using var predecessor = await HandOverAsync();
        await using var next = await NextAsync(predecessor, Text);

        Assert.That(next.Server.TrafficAddresses, Is.EqualTo(addresses));
        Assert.That(next.Server.AdminAddress, Is.EqualTo(_old.Server.AdminAddress));
        var drift = (await next.AskAsync("GET", "/admin/config/drift")).Json.GetProperty("changes");
        Assert.That(drift.EnumerateArray().Select(one => one.GetString()), Is.EqualTo((string[])
        [
            "cluster web: algorithm random", $"backend web/{_b.Address}: weight 7", "backend web/extra: added",
        ]));
        var extra = (await next.AskAsync("GET", "/admin/backends/extra")).Json;
        Assert.That(
            (extra.GetProperty("weight").GetInt32(), extra.GetProperty("state").GetString()),
            Is.EqualTo((3, "draining")));
        for (var time = 0; time < 10; time++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{addresses[0]}/");
            request.Headers.Add("Cookie", cookie);
            using var client = new HttpClient();
            using var answer = await client.SendAsync(request);
            Assert.That(await answer.Content.ReadAsStringAsync(), Is.EqualTo(home), "the session's key has gone on");
        }

        // One before, ten after; nobody else has asked.
        Assert.That(await CountAsync(next), Is.EqualTo(11));
        Assert.That(next.Lines.All, Has.Some.Contains("on the sockets of the process before"));
    }

    [Test]
    public async Task What_the_old_one_still_counts_is_counted_by_the_new_one()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPEndPoint.Parse(_old.Server.TrafficAddresses[0]));
        var stream = client.GetStream();
        await stream.WriteAsync("GET / HTTP/1.1\r\nHost: x\r\n"u8.ToArray());
        await Eventually.HoldsAsync(() => _old.Server.CountWaiting(PolyBalance.Proxy.WaitKind.Client) == 1, () => "");

        using var predecessor = await HandOverAsync();
        await using var next = await NextAsync(predecessor, Text);
        var draining = _old.Server.DrainAsync(TimeSpan.FromMinutes(1));
        await stream.WriteAsync("\r\n"u8.ToArray());
        using var reader = new StreamReader(stream, Encoding.ASCII);
        Assert.That(await reader.ReadToEndAsync(), Does.StartWith("HTTP/1.1 200").And.Contain("Connection: close"));
        await draining;

        Assert.That(await CountAsync(next), Is.Zero);
        await _old.Server.TellAsync(_successor);
        await _old.Server.TellAsync(_successor);
        await Eventually.HoldsAsync(() => next.Server.Store.Current.Backends().Sum(one => one.Requests) == 1, () => "");
        Assert.That(await CountAsync(next), Is.EqualTo(1));
    }

    [Test]
    public async Task What_failed_before_and_what_fails_while_the_old_one_finishes_is_told_by_the_new_one()
    {
        await _a.DisposeAsync();
        await _b.DisposeAsync();
        using (await _old.GetAsync("/before"))
        using (await _old.GetAsync("/before"))
        {
        }

        using var client = new TcpClient();
        await client.ConnectAsync(IPEndPoint.Parse(_old.Server.TrafficAddresses[0]));
        await client.GetStream().WriteAsync("GET /meanwhile HTTP/1.1\r\nHost: x\r\n"u8.ToArray());
        await Eventually.HoldsAsync(() => _old.Server.CountWaiting(PolyBalance.Proxy.WaitKind.Client) == 1, () => "");
        using var predecessor = await HandOverAsync();
        await using var next = await NextAsync(predecessor, Text);
        using (await next.GetAsync("/next"))
        {
        }

        var draining = _old.Server.DrainAsync(TimeSpan.FromMinutes(1));
        await client.GetStream().WriteAsync("\r\n"u8.ToArray());
        await draining;
        await _old.Server.TellAsync(_successor);
        await _old.Server.TellAsync(_successor);

        await Eventually.HoldsAsync(() => next.Server.Flights.Count == 4, () => $"{next.Server.Flights.Count} of 4");
        Assert.That(await FailuresAsync(next), Is.EqualTo((string[])
        [
            "/meanwhile connect_refused 2", "/next connect_refused 2", "/before connect_refused 2",
            "/before connect_refused 2",
        ]));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_new_one_that_ends_before_it_is_ready_leaves_everything_as_it_was(bool isPrepared)
    {
        using var channel = await VisitAsync();
        var handing = _old.Server.HandOverAsync(_successor, EndAsync, CancellationToken.None);
        var state = (await channel.ReceiveAsync(default))!.Value.Read(HandoverJson.Default.HandoverState);
        var sockets = await channel.ReceiveFilesAsync(state.Sockets.Count, default);
        Assert.That((await _old.AskAsync("PATCH", $"/admin/backends/{_a.Address}", """{"weight":7}""")).Status,
            Is.EqualTo(409), "the new one would not know");
        if (isPrepared)
        {
            await channel.SendAsync(HandoverWord.Prepared, default);
            Assert.That((await channel.ReceiveAsync(default))!.Value.Word, Is.EqualTo(HandoverWord.Go));
        }

        using var early = new TcpClient();
        await early.ConnectAsync(IPEndPoint.Parse(_old.Server.TrafficAddresses[0]));
        channel.Dispose();
        foreach (var socket in sockets)
            socket.Dispose();

        var problem = await Assert.ThrowsAsync<HandoverException>(() => handing);
        Assert.That(problem!.Message, Is.EqualTo("The new process has ended before it was ready."));
        await early.GetStream().WriteAsync("GET / HTTP/1.0\r\n\r\n"u8.ToArray());
        using var reader = new StreamReader(early.GetStream());
        Assert.That(await reader.ReadToEndAsync(), Does.StartWith("HTTP/1.1 200"), "it waited in the queue");
        using var answer = await _old.GetAsync("/");
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That((await _old.AskAsync("PATCH", $"/admin/backends/{_a.Address}", """{"weight":7}""")).Status,
            Is.EqualTo(200));
        Assert.That((await _old.AskAsync("POST", "/admin/reload", "")).Status, Is.EqualTo(200));
        Assert.That(File.Exists(Path.Combine(_folder, "s")), "the Unix socket is still there");
    }

    [Test]
    public async Task A_new_one_that_hangs_is_ended_before_the_old_one_accepts_again()
    {
        using var channel = await VisitAsync();
        using var giveUp = new CancellationTokenSource();
        var ending = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var handing = _old.Server.HandOverAsync(
            _successor,
            _ =>
            {
                ending.SetResult();
                return ended.Task;
            },
            giveUp.Token);
        var state = (await channel.ReceiveAsync(default))!.Value.Read(HandoverJson.Default.HandoverState);
        var sockets = await channel.ReceiveFilesAsync(state.Sockets.Count, default);
        await channel.SendAsync(HandoverWord.Prepared, default);
        Assert.That((await channel.ReceiveAsync(default))!.Value.Word, Is.EqualTo(HandoverWord.Go));

        await giveUp.CancelAsync();
        await ending.Task;
        using var client = new TcpClient(AddressFamily.InterNetwork);
        await client.ConnectAsync(IPEndPoint.Parse(_old.Server.TrafficAddresses[0]));
        var accepting = sockets
            .Where(socket => socket.LocalEndPoint?.ToString() == _old.Server.TrafficAddresses[0])
            .Select(socket => socket.AcceptAsync()).ToList();
        using (var lost = await await Task.WhenAny(accepting))
        {
            Assert.That(lost.RemoteEndPoint, Is.EqualTo(client.Client.LocalEndPoint),
                "only the new one accepts as long as it lives");
        }

        foreach (var socket in sockets)
            socket.Dispose();
        ended.SetResult();
        await Assert.CatchAsync<OperationCanceledException>(() => handing);
        using var answer = await _old.GetAsync("/");
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task Clients_are_accepted_again_even_if_the_new_one_cannot_be_ended()
    {
        var channel = await VisitAsync();
        var handing = _old.Server.HandOverAsync(
            _successor, _ => throw new InvalidOperationException("not today"), CancellationToken.None);
        var state = (await channel.ReceiveAsync(default))!.Value.Read(HandoverJson.Default.HandoverState);
        var sockets = await channel.ReceiveFilesAsync(state.Sockets.Count, default);
        await channel.SendAsync(HandoverWord.Prepared, default);
        Assert.That((await channel.ReceiveAsync(default))!.Value.Word, Is.EqualTo(HandoverWord.Go));
        foreach (var socket in sockets)
            socket.Dispose();
        channel.Dispose();

        await Assert.ThrowsAsync<InvalidOperationException>(() => handing);
        using var answer = await _old.GetAsync("/");
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task A_new_one_that_says_nothing_after_the_word_to_go_is_not_waited_for_any_longer()
    {
        using var channel = await VisitAsync();

        var problem = await Assert.ThrowsAsync<HandoverException>(
            () => _successor.GoAsync(TimeSpan.Zero, CancellationToken.None));

        Assert.That(problem!.Message, Does.StartWith("The new process accepted no clients within 0 s"));
    }

    [Test]
    public async Task A_new_one_that_cannot_listen_everywhere_ends_nothing()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var predecessor = await HandOverAsync();
        var text = Text.Replace(
            " ]\nadmin", $", {{ bind: \"{taken.LocalEndpoint}\" }} ]\nadmin", StringComparison.Ordinal);

        await Assert.ThrowsAsync<ListenException>(() => LiveGateway.StartAsync(text, predecessor: predecessor));
        predecessor.Dispose();

        await Assert.ThrowsAsync<HandoverException>(() => _handing);
        using var answer = await _old.GetAsync("/");
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task A_listener_that_the_new_one_has_not_is_closed_and_one_more_is_opened()
    {
        var file = Path.Combine(_folder, "s");
        using var predecessor = await HandOverAsync();
        var text = Text.Replace($"{{ bind: \"unix:{file}\" }}", "{ bind: \"127.0.0.1:2\" }", StringComparison.Ordinal);
        await using var next = await NextAsync(predecessor, text);
        await _old.Server.DrainAsync(TimeSpan.Zero);

        Assert.That(next.Server.TrafficAddresses, Has.Count.EqualTo(2));
        Assert.That(File.Exists(file), Is.False);
        using var answer = await next.GetAsync("/", listener: 1);
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task Whoever_is_not_the_expected_process_is_sent_away()
    {
        using var giveUp = new CancellationTokenSource();
        var meeting = _successor.MeetAsync(int.MaxValue, giveUp.Token);
        using var visitor = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await visitor.ConnectAsync(new UnixDomainSocketEndPoint("\0" + _successor.Name));

        Assert.That(await visitor.ReceiveAsync(new byte[1]), Is.Zero);
        Assert.That(meeting.IsCompleted, Is.False);
        await giveUp.CancelAsync();
        await Assert.CatchAsync<OperationCanceledException>(() => meeting);
    }

    [Test]
    public async Task A_process_takes_nothing_over_from_a_stranger()
    {
        var meeting = _successor.MeetAsync(Environment.ProcessId, CancellationToken.None);

        var problem = await Assert.ThrowsAsync<HandoverException>(
            () => Predecessor.FindAsync(_successor.Name, "1", int.MaxValue, CancellationToken.None));
        Assert.That(problem!.Message, Does.StartWith("It was not started by"));
        await meeting;
    }

    [Test]
    public async Task Another_format_is_refused_with_what_to_do()
    {
        var finding = Predecessor.FindAsync(
            _successor.Name, "1", Environment.ProcessId, CancellationToken.None);
        await _successor.MeetAsync(Environment.ProcessId, CancellationToken.None);
        var preparing = _successor.PrepareAsync(new() { Format = 2 }, [], CancellationToken.None);

        var problem = await Assert.ThrowsAsync<HandoverException>(() => finding);
        Assert.That(problem!.Message, Does.Contain("in format 2").And.EndsWith("Restart the gateway instead."));
        await Assert.ThrowsAsync<HandoverException>(() => preparing);
    }

    // Both live in this process: who gives and who takes meet on the way.
    private async Task<Predecessor> HandOverAsync()
    {
        var finding = Predecessor.FindAsync(
            _successor.Name, "2.0", Environment.ProcessId, CancellationToken.None);
        await _successor.MeetAsync(Environment.ProcessId, CancellationToken.None);
        _handing = _old.Server.HandOverAsync(_successor, EndAsync, CancellationToken.None);
        return await finding;
    }

    private Task _handing = Task.CompletedTask;

    // What plays the new process here has ended when it is dropped.
    private static Task EndAsync(Exception failure) => Task.CompletedTask;

    private async Task<LiveGateway> NextAsync(Predecessor predecessor, string text)
    {
        var starting = LiveGateway.StartAsync(text, predecessor: predecessor);
        await _handing;
        Assert.That(_successor.Version, Is.EqualTo("2.0"));
        Assert.That(starting.IsCompleted, Is.False, "it speaks for the gateway only when it may");
        await _successor.AcknowledgeAsync(CancellationToken.None);
        return await starting;
    }

    private async Task<HandoverChannel> VisitAsync()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint("\0" + _successor.Name));
        await _successor.MeetAsync(Environment.ProcessId, CancellationToken.None);
        return new(socket);
    }

    private static async Task<List<string>> FailuresAsync(LiveGateway gateway)
    {
        var (_, json, _) = await gateway.AskAsync("GET", "/admin/errors");
        return
        [
            .. json.GetProperty("exchanges").EnumerateArray().Select(one => $"{one.GetProperty("path")} "
                + $"{one.GetProperty("reason")} {one.GetProperty("attempts").GetArrayLength()}"),
        ];
    }

    private static async Task<double> CountAsync(LiveGateway gateway)
    {
        var (_, _, response) = await gateway.AskAsync("GET", "/metrics");
        var page = new Scrape(await response.Content.ReadAsStringAsync());
        return page.Sum("polybalance_backend_requests_total");
    }
}
