using System.Text.RegularExpressions;
using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Telemetry;
using PolyBalance.Tests.Support;
using PolyBalance.Topology;

namespace PolyBalance.Tests.Scenarios;

/// <summary>Sessions that stay on one backend by a signed cookie: the section <c>sticky</c>.</summary>
internal sealed class StickyScenarios(Medium medium) : ScenarioTests(medium)
{
    private const string Sticky = "sticky: { max_age: 60s }";
    private const string Name = "X-LB-Backend";

    private string? _cookie;
    private string _answered = "";

    private Cluster Cluster => World.Server.Store.Current.Clusters[0];

    [SetUp]
    public void ForgetTheCookie() => _cookie = null;

    [Test]
    public async Task A_first_response_sets_a_cookie_that_says_nothing_and_later_ones_leave_it()
    {
        await StartAsync(TwoWith(Sticky));
        AnswerByName();
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var response = await client.ReadResponseAsync();

        Assert.That(response["Set-Cookie"], Does.Match(
            $"^{Name}=[A-Za-z0-9_-]{{40}}; Path=/; Max-Age=60; HttpOnly; SameSite=Lax$"));
        Assert.That((await World.RecordAsync()).Session, Is.EqualTo(SessionResult.New));
        _cookie = response["Set-Cookie"]!.Split(';')[0];
        for (var request = 0; request < 5; request++)
            Assert.That(await AskAsync(client), Is.EqualTo(SessionResult.Hit));
        Assert.That(_answered, Is.EqualTo(response.Text));
    }

    [Test]
    public async Task Two_hundred_clients_that_keep_their_cookies_stay_where_they_are()
    {
        await StartAsync(TwoWith(Sticky));
        AnswerByName();
        var client = await World.ConnectAsync();
        var homes = new Dictionary<string, string>();
        for (var each = 0; each < 200; each++)
        {
            _cookie = null;
            Assert.That(await AskAsync(client), Is.EqualTo(SessionResult.New));
            homes[$"{_cookie}; number={each}"] = _answered;
        }

        foreach (var (cookie, home) in homes.Concat(homes.Reverse()))
        {
            _cookie = cookie;
            Assert.That((await AskAsync(client), _answered), Is.EqualTo((SessionResult.Hit, home)));
        }

        Assert.That(homes.Values.Count(home => home == "a"), Is.EqualTo(100));
    }

    [Test]
    public async Task A_session_whose_backend_was_killed_moves_once_and_stays()
    {
        await StartAsync(TwoWith(Sticky));
        AnswerByName();
        var client = await World.ConnectAsync();
        await BeginAtAsync(client, "a");
        World.Backend("a").Kill();

        Assert.That((await AskAsync(client), _answered), Is.EqualTo((SessionResult.Moved, "b")));
        for (var request = 0; request < 10; request++)
            Assert.That((await AskAsync(client), _answered), Is.EqualTo((SessionResult.Hit, "b")));
    }

    [Test]
    public async Task A_session_whose_backend_is_taken_out_moves_without_trying_it([Values] bool isEjected)
    {
        await StartAsync(TwoWith(Sticky));
        AnswerByName();
        var client = await World.ConnectAsync();
        await BeginAtAsync(client, "a");
        var before = World.Backend("a").Requests;
        await World.Server.Store.PublishAsync(
            found =>
            {
                var backend = found.Clusters[0].Backends[0];
                if (isEjected)
                    backend.Passive.Eject(backend.Now);
                else
                    backend.Judge(Verdict.Unhealthy);
                return SnapshotBuilder.Refresh(found);
            },
            CancellationToken.None);
        await Eventually.HoldsAsync(() => Cluster.Eligible.Length == 1, () => "a is out");

        Assert.That((await AskAsync(client), _answered), Is.EqualTo((SessionResult.Moved, "b")));
        Assert.That((await AskAsync(client), _answered), Is.EqualTo((SessionResult.Hit, "b")));
        Assert.That(World.Backend("a").Requests, Is.EqualTo(before));
    }

    [Test]
    public async Task Where_nobody_may_wait_a_session_whose_backend_is_busy_moves()
    {
        await StartAsync(TwoWith($"{Sticky}, pool: {{ max_connections: 1 }}, queue: off"));
        var client = await World.ConnectAsync();
        await KeepBusyAsync(client);

        Assert.That((await AskAsync(client), _answered), Is.EqualTo((SessionResult.Moved, "b")));
    }

    [Test]
    public async Task A_session_whose_backend_is_busy_waits_for_it()
    {
        await StartAsync(TwoWith($"{Sticky}, pool: {{ max_connections: 1 }}"));
        var client = await World.ConnectAsync();
        var other = await KeepBusyAsync(client);
        await client.SendGetAsync("/", $"Cookie: {_cookie}\r\n");
        await Eventually.HoldsAsync(() => Cluster.Queue.Waiting == 1, () => "it waits");

        other.Close();
        Assert.That((await World.RecordAsync()).Status, Is.EqualTo(499));

        Assert.That((await client.ReadResponseAsync()).Text, Is.EqualTo("a"));
        Assert.That((await World.RecordAsync()).Session, Is.EqualTo(SessionResult.Hit));
    }

    // A session at a, and another request of it there that does not end.
    private async Task<ScriptedClient> KeepBusyAsync(ScriptedClient client)
    {
        World.Backend("a").Answers(request => request.StartLine.Contains("/held", StringComparison.Ordinal)
            ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
            : ScriptedBackend.Ok("a"));
        World.Backend("b").Answers(ScriptedBackend.Ok("b"));
        await BeginAtAsync(client, "a");
        var other = await World.ConnectAsync();
        await other.SendGetAsync("/held", $"Cookie: {_cookie}\r\n");
        await Eventually.HoldsAsync(() => Cluster.Backends[0].InFlight == 1, () => "a has all it may have");
        return other;
    }

    [TestCase("forged")]
    [TestCase("expired")]
    [TestCase("truncated")]
    [TestCase("foreign")]
    public async Task A_cookie_that_does_not_count_is_no_error_and_is_replaced(string why)
    {
        await StartAsync(why == "foreign"
            ? $$"""
              clusters:
                app: { backends: [ "${a}", "${b}" ], {{Sticky}} }
                other: { backends: [ "${a}", "${b}" ], {{Sticky}} }
              routes: [ { match: { path: /other }, cluster: other }, { cluster: app } ]
              """
            : TwoWith(Sticky));
        AnswerByName();
        var client = await World.ConnectAsync();
        await AskAsync(client, why == "foreign" ? "/other" : "/");
        var given = _cookie!;
        if (why == "forged")
            _cookie = given[..^1] + (given[^1] == 'A' ? 'B' : 'A');
        else if (why == "truncated")
            _cookie = given[..^1];
        else if (why == "expired")
            World.Clock.Advance(TimeSpan.FromSeconds(61));

        Assert.That(await AskAsync(client), Is.EqualTo(SessionResult.Invalid));
        Assert.That(_cookie, Is.Not.EqualTo(given));
        Assert.That(await AskAsync(client), Is.EqualTo(SessionResult.Hit));
    }

    [Test]
    public async Task A_session_is_renewed_after_half_its_time_and_not_before()
    {
        await StartAsync(TwoWith(Sticky));
        AnswerByName();
        var client = await World.ConnectAsync();
        await BeginAtAsync(client, "a");
        var first = _cookie;

        World.Clock.Advance(TimeSpan.FromSeconds(29));
        Assert.That(await AskAsync(client), Is.EqualTo(SessionResult.Hit));
        World.Clock.Advance(TimeSpan.FromSeconds(3));
        Assert.That((await AskAsync(client), _answered), Is.EqualTo((SessionResult.Renewed, "a")));
        Assert.That(_cookie, Is.Not.EqualTo(first));
        World.Clock.Advance(TimeSpan.FromSeconds(29));
        Assert.That((await AskAsync(client), _answered), Is.EqualTo((SessionResult.Hit, "a")));
    }

    [Test]
    public async Task A_local_response_sets_no_cookie()
    {
        await StartAsync($"clusters: {{ app: {{ backends: [], {Sticky} }} }}");
        var client = await World.ConnectAsync();
        var response = await client.GetAsync();

        Assert.That((response.Status, response["Set-Cookie"]), Is.EqualTo((503, (string?)null)));
        Assert.That((await World.RecordAsync()).Session, Is.EqualTo(SessionResult.None));
    }

    [Test]
    public async Task A_retry_that_lands_elsewhere_begins_the_session_there()
    {
        await StartAsync(TwoWith(Sticky));
        AnswerByName();
        World.Backend("a").StopListening();
        var client = await World.ConnectAsync();

        Assert.That((await AskAsync(client), _answered), Is.EqualTo((SessionResult.New, "b")));
        Assert.That((await AskAsync(client), _answered), Is.EqualTo((SessionResult.Hit, "b")));
    }

    [Test]
    public async Task A_backend_without_weight_keeps_its_sessions_and_gets_no_new_ones()
    {
        await StartAsync(TwoWith(Sticky));
        AnswerByName();
        var client = await World.ConnectAsync();
        await BeginAtAsync(client, "a");
        var session = _cookie;
        await World.ReloadAsync(cluster => cluster with
        {
            Backends = [cluster.Backends[0] with { Weight = 0 }, cluster.Backends[1]],
        });

        for (var request = 0; request < 5; request++)
        {
            _cookie = null;
            Assert.That((await AskAsync(client), _answered), Is.EqualTo((SessionResult.New, "b")));
            _cookie = session;
            Assert.That((await AskAsync(client), _answered), Is.EqualTo((SessionResult.Hit, "a")));
        }

        World.Clock.Advance(TimeSpan.FromSeconds(40));
        Assert.That((await AskAsync(client), _answered), Is.EqualTo((SessionResult.Hit, "a")), "it is not renewed");
        World.Backend("a").Kill();
        Assert.That((await AskAsync(client), _answered), Is.EqualTo((SessionResult.Moved, "b")), "b was not tried yet");
    }

    [Test]
    public async Task A_draining_backend_keeps_its_sessions_and_gets_no_new_ones()
    {
        await StartAsync(TwoWith(Sticky));
        AnswerByName();
        var client = await World.ConnectAsync();
        await BeginAtAsync(client, "a");
        var session = _cookie;
        Cluster.Backends[0].BeginDrain(DrainCauses.Operator);
        await Eventually.HoldsAsync(() => Cluster.Eligible.Length == 1, () => "a gets nothing new");

        for (var request = 0; request < 5; request++)
        {
            _cookie = null;
            Assert.That((await AskAsync(client), _answered), Is.EqualTo((SessionResult.New, "b")));
            _cookie = session;
            Assert.That((await AskAsync(client), _answered), Is.EqualTo((SessionResult.Hit, "a")));
        }

        World.Clock.Advance(TimeSpan.FromSeconds(40));
        Assert.That((await AskAsync(client), _answered), Is.EqualTo((SessionResult.Hit, "a")), "it is not renewed");
        World.Clock.Advance(TimeSpan.FromSeconds(25));
        Assert.That((await AskAsync(client), _answered), Is.EqualTo((SessionResult.Invalid, "b")), "it has run out");
    }

    [Test]
    public async Task Sessions_survive_another_algorithm_and_other_weights()
    {
        await StartAsync(TwoWith(Sticky));
        AnswerByName();
        var client = await World.ConnectAsync();
        await BeginAtAsync(client, "a");
        await World.ReloadAsync(cluster => cluster with { Algorithm = "random" });
        await World.ReloadAsync(cluster => cluster with
        {
            Algorithm = "weighted_round_robin",
            Backends = [cluster.Backends[0], cluster.Backends[1] with { Weight = 100 }],
        });

        for (var request = 0; request < 10; request++)
            Assert.That((await AskAsync(client), _answered), Is.EqualTo((SessionResult.Hit, "a")));
    }

    [Test]
    public async Task An_upgrade_begins_a_session_too()
    {
        await StartAsync(OneWith(Sticky));
        var client = await World.ConnectAsync();
        await client.SendGetAsync("/", "Connection: upgrade\r\nUpgrade: websocket\r\n");
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();
        await backend.SendAsync(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
        var response = await client.ReadHeadAsync();

        Assert.That(response, Does.Match(new Regex($"\r\nSet-Cookie: {Name}=.{{40}}; Path=/")));
        backend.Close();
        Assert.That(await client.EndAsync(), Is.EqualTo(WireEnd.Closed));
        client.Close();
        Assert.That((await World.RecordAsync()).Session, Is.EqualTo(SessionResult.New));
    }

    private void AnswerByName()
    {
        World.Backend("a").Answers(ScriptedBackend.Ok("a"));
        World.Backend("b").Answers(ScriptedBackend.Ok("b"));
    }

    private async Task BeginAtAsync(ScriptedClient client, string name)
    {
        do
        {
            _cookie = null;
            Assert.That(await AskAsync(client), Is.EqualTo(SessionResult.New));
        }
        while (_answered != name);
    }

    // As a browser would: keeps what is set. A cookie is set exactly where the session is not simply a hit.
    private async Task<SessionResult> AskAsync(ScriptedClient client, string path = "/")
    {
        var response = await client.GetAsync(path, _cookie is null ? "" : $"Cookie: {_cookie}\r\n");
        var result = (await World.RecordAsync()).Session;

        Assert.That(response.Status, Is.EqualTo(200));
        Assert.That(response["Set-Cookie"] is null, Is.EqualTo(result == SessionResult.Hit), $"{result}");
        _cookie = response["Set-Cookie"]?.Split(';')[0] ?? _cookie;
        _answered = response.Text;
        return result;
    }
}
