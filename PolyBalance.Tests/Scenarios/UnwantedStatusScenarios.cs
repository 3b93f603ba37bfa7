using System.Collections.Concurrent;
using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Tests.Support;
using PolyBalance.Topology;

namespace PolyBalance.Tests.Scenarios;

/// <summary>Backends that answer with one of <c>retries.statuses</c>: when another one is asked instead.</summary>
internal sealed class UnwantedStatusScenarios(Medium medium) : ScenarioTests(medium)
{
    private const string Unwanted = "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";
    private const string Keys = "retries: { statuses: \"429,502-504\" }";

    private Cluster Cluster => World.Server.Store.Current.Clusters[0];

    [TestCase("GET", "")]
    [TestCase("PUT", "content")]
    public async Task An_unwanted_answer_is_given_up_for_that_of_another_backend(string method, string content)
    {
        await StartAsync(TwoWith(Keys));
        var client = await World.ConnectAsync();
        await client.SendPostAsync(content, method);
        var (first, backend) = await World.AcceptAsync();
        Assert.That((await backend.ReadRequestAsync()).Text, Is.EqualTo(content));
        await backend.SendAsync(Unwanted);

        var (second, next) = await World.AcceptAsync();
        Assert.That((await next.ReadRequestAsync()).Text, Is.EqualTo(content));
        await next.SendAsync(ScriptedBackend.Ok("wanted"));

        var response = await client.ReadResponseAsync();
        Assert.That((response.Text, response["Retry-After"], response["Connection"]),
            Is.EqualTo(("wanted", (string?)null, (string?)null)));
        Assert.That(second, Is.Not.SameAs(first));
        var record = await World.RecordAsync();
        Assert.That(record.Outcome, Is.EqualTo((200, "", 2)));
        Assert.That(record.Details, Is.EqualTo((string[])["unwanted_status 503", " 200"]));
        Assert.That((World.BackendFailures, Cluster.RetryBudget.Retries), Is.EqualTo((0L, 1L)));
    }

    [Test]
    public async Task When_every_backend_answers_so_the_client_gets_the_last_answer_as_it_came()
    {
        await StartAsync("clusters: { app: { " + Keys + ", backends: [ \"${a}\", \"${b}\", \"${c}\" ] } }");
        foreach (var name in (string[])["a", "b", "c"])
            World.Backend(name).Answers($"HTTP/1.1 503 Busy\r\nContent-Length: 1\r\nX-From: {name}\r\n\r\n{name}");
        var client = await World.ConnectAsync();

        var response = await client.GetAsync();

        var record = await World.RecordAsync();
        Assert.That((response.Status, response.Text), Is.EqualTo((503, response["X-From"])));
        Assert.That(record.Outcome, Is.EqualTo((503, "", 3)));
        Assert.That(record.Backend, Is.EqualTo(World.Backend(response.Text).Address));
        Assert.That((World.Backend("a").Requests, World.Backend("b").Requests, World.Backend("c").Requests),
            Is.EqualTo((1, 1, 1)));
    }

    [TestCase("retries: { statuses: 502-504 }", Unwanted, 503)]
    [TestCase("host: preserve, health: off", Unwanted, 503)]
    [TestCase("retries: { statuses: 502-504, attempts: 0 }", Unwanted, 503)]
    [TestCase("retries: { statuses: 502-504 }", "HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n", 500)]
    public async Task An_answer_that_is_wanted_or_has_no_alternative_goes_through(
        string keys, string answer, int status)
    {
        var isAlone = status == 503 && keys.EndsWith("504 }", StringComparison.Ordinal);
        await StartAsync(isAlone ? OneWith(keys) : TwoWith(keys));
        World.Backend("a").Answers(answer);
        if (!isAlone)
            World.Backend("b").Answers(answer);
        var client = await World.ConnectAsync();

        Assert.That((await client.GetAsync()).Status, Is.EqualTo(status));

        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((status, "", 1)));
        Assert.That((Cluster.RetryBudget.Retries, Cluster.RetryBudget.Refusals), Is.EqualTo((0L, 0L)));
    }

    [TestCase("", 503, 1)]
    [TestCase("Idempotency-Key: \"k\"\r\n", 200, 2)]
    public async Task A_post_is_asked_of_another_backend_only_when_it_has_an_idempotency_key(
        string lines, int status, int attempts)
    {
        await StartAsync(TwoWith(Keys));
        var client = await World.ConnectAsync();
        await client.SendPostAsync("content", lines: lines);
        var (_, backend) = await World.AcceptAsync();
        await backend.ReadRequestAsync();
        await backend.SendAsync(Unwanted);
        if (attempts == 2)
        {
            var (_, next) = await World.AcceptAsync();
            Assert.That((await next.ReadRequestAsync()).Text, Is.EqualTo("content"));
            await next.SendAsync(ScriptedBackend.Ok());
        }

        Assert.That((await client.ReadResponseAsync()).Status, Is.EqualTo(status));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((status, "", attempts)));
        Assert.That(World.Backend("a").Connections + World.Backend("b").Connections, Is.EqualTo(attempts));
    }

    [Test]
    public async Task A_body_beyond_the_replay_buffer_lets_an_unwanted_answer_through()
    {
        await StartAsync(TwoWith(Keys));
        World.Backend("a").Answers(Unwanted);
        World.Backend("b").Answers(Unwanted);
        var client = await World.ConnectAsync();

        Assert.That((await client.PostAsync(new string('p', 70_000), "PUT")).Status, Is.EqualTo(503));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((503, "", 1)));
    }

    [Test]
    public async Task An_unwanted_answer_that_overtakes_the_body_is_given_up_too()
    {
        await StartAsync(TwoWith(Keys));
        var client = await World.ConnectAsync();
        await client.SendAsync("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nfirst");
        var (_, backend) = await World.AcceptAsync();
        await backend.ReadUntilAsync("first");
        await backend.SendAsync(Unwanted);

        var (_, next) = await World.AcceptAsync();
        await next.ReadUntilAsync("first");
        await client.SendAsync("second");
        await next.ReadUntilAsync("second");
        await next.SendAsync(ScriptedBackend.Ok());

        Assert.That((await client.ReadResponseAsync())["Connection"], Is.Null);
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((200, "", 2)));
    }

    [Test]
    public async Task When_the_budget_is_spent_an_unwanted_answer_goes_through()
    {
        await StartAsync(TwoWith("ejection: off, retries: { statuses: 503, budget: 0% }"));
        World.Backend("a").Answers(Unwanted);
        World.Backend("b").Answers(ScriptedBackend.Ok());
        var client = await World.ConnectAsync();

        var requests = 1;
        while ((await client.GetAsync()).Status == 200 && requests < 1_000)
            requests++;

        Assert.That((Cluster.RetryBudget.Retries, Cluster.RetryBudget.Refusals), Is.EqualTo((100L, 1L)));
        for (var request = 1; request < requests; request++)
            Assert.That((await World.RecordAsync()).Status, Is.EqualTo(200));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((503, "", 1)));
    }

    [Test]
    public async Task An_unwanted_answer_goes_through_rather_than_wait_for_a_place()
    {
        await StartAsync(TwoWith(Keys + ", pool: { max_connections: 1 }"));
        var busy = await World.ConnectAsync();
        await busy.SendGetAsync();
        var (_, occupied) = await World.AcceptAsync();
        await occupied.ReadRequestAsync();
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var (_, backend) = await World.AcceptAsync();
        await backend.ReadRequestAsync();
        await backend.SendAsync(Unwanted);

        Assert.That((await client.ReadResponseAsync()).Status, Is.EqualTo(503));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((503, "", 1)));
        Assert.That(Cluster.RetryBudget.Retries, Is.Zero);
        await occupied.SendAsync(ScriptedBackend.Ok());
        Assert.That((await busy.ReadResponseAsync()).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task After_an_unwanted_answer_the_last_attempt_decides()
    {
        await StartAsync(TwoWith(Keys));
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var (first, backend) = await World.AcceptAsync();
        await backend.ReadRequestAsync();
        World.Backend(ReferenceEquals(first, World.Backend("a")) ? "b" : "a").StopListening();
        await backend.SendAsync(Unwanted);

        Assert.That((await client.ReadResponseAsync()).Text, Does.Contain("\"reason\":\"connect_refused\""));
        var record = await World.RecordAsync();
        Assert.That(record.Outcome, Is.EqualTo((502, "connect_refused", 2)));
        Assert.That(record.Details, Is.EqualTo((string[])["unwanted_status 503", "connect_refused 0"]));
    }

    [Test]
    public async Task Unwanted_answers_eject_a_backend_only_where_that_is_configured([Values] bool isConfigured)
    {
        await StartAsync(TwoWith(Keys + (isConfigured ? ", ejection: { statuses: 500-599 }" : "")));
        World.Backend("a").Answers(Unwanted);
        World.Backend("b").Answers(ScriptedBackend.Ok());
        var client = await World.ConnectAsync();

        for (var request = 0; request < 20; request++)
            Assert.That((await client.GetAsync()).Status, Is.EqualTo(200));

        if (isConfigured)
        {
            await Eventually.HoldsAsync(
                () => Cluster.Backends[0].Passive.Stage == ServiceStage.Ejected, () => "a is ejected");
        }

        World.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.That(Cluster.Eligible, Has.Length.EqualTo(isConfigured ? 1 : 2));
        Assert.That(World.BackendFailures, Is.Zero);
    }

    [TestCase("Content-Length: 0\r\n\r\n", true)]
    [TestCase("Content-Length: 5\r\n\r\n", false)]
    [TestCase("Transfer-Encoding: chunked\r\n\r\n", false)]
    [TestCase("\r\n", false)]
    [TestCase("Connection: close\r\nContent-Length: 0\r\n\r\n", false)]
    public async Task The_connection_of_an_unwanted_answer_goes_on_when_all_of_the_answer_is_there(
        string rest, bool goesOn)
    {
        await StartAsync(TwoWith(Keys));
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var (_, backend) = await World.AcceptAsync();
        await backend.ReadRequestAsync();
        await backend.SendAsync("HTTP/1.1 503 Busy\r\n" + rest);
        var (_, next) = await World.AcceptAsync();
        await next.ReadRequestAsync();
        await next.SendAsync(ScriptedBackend.Ok());

        Assert.That((await client.ReadResponseAsync()).Status, Is.EqualTo(200));
        await World.RecordAsync();
        Assert.That(World.BackendConnections, Is.EqualTo(goesOn ? 2 : 1));
    }

    [Test]
    public async Task Whatever_backends_answer_nobody_is_asked_twice_and_a_post_once([Range(1, 5)] int seed)
    {
        var random = new Random(seed);
        string[] names = [.. ((string[])["a", "b", "c"]).Take(random.Next(1, 4))];
        var list = string.Join(", ", names.Select(name => "\"${" + name + "}\""));
        await StartAsync(
            $"clusters: {{ app: {{ {Keys.Replace(" }", ", budget: 100% }", StringComparison.Ordinal)}, ejection: off, "
            + $"backends: [ {list} ] }} }}");
        var asked = new ConcurrentQueue<(string Path, string Name)>();
        int[] statuses = [200, 200, 404, 429, 500, 502, 503];
        foreach (var name in names)
        {
            World.Backend(name).Answers(request =>
            {
                var target = request.StartLine.Split(' ')[1];
                asked.Enqueue((target, name));
                var status = statuses[StableIndex(target, name) % statuses.Length];
                return $"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n";
            });
        }

        var client = await World.ConnectAsync();
        for (var index = 0; index < 40; index++)
        {
            var method = random.Next(3) == 0 ? "POST" : "PUT";
            var head = $"{method} /{seed}-{index} HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx";
            await client.SendAsync(head);
            var status = (await client.ReadResponseAsync()).Status;
            var record = await World.RecordAsync();
            var path = $"/{seed}-{index}";
            var who = asked.Where(one => one.Path == path).Select(one => one.Name).ToArray();
            var answers = who.Select(name => statuses[StableIndex(path, name) % statuses.Length]).ToArray();

            Assert.That(who, Is.Unique);
            Assert.That(record.Outcome, Is.EqualTo((answers[^1], "", who.Length)));
            Assert.That(status, Is.EqualTo(answers[^1]), "the answer of whoever was asked last");
            Assert.That(answers[..^1], Is.All.AnyOf(429, 502, 503), "a wanted answer ends it");
            if (method == "POST")
                Assert.That(who, Has.Length.EqualTo(1));
            else if (answers[^1] is 429 or 502 or 503)
                Assert.That(who, Has.Length.EqualTo(names.Length), "an unwanted one ends it when nobody is left");
        }
    }

    private static int StableIndex(string path, string name)
        => (path + name).Aggregate(17, (sum, letter) => (sum * 31) + letter) & 0xffff;
}
