using NUnit.Framework;
using PolyBalance.Admin;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Scenarios;

/// <summary>What <c>explain</c> says of a request is what then happens to it.</summary>
internal sealed class ExplainScenarios(Medium medium) : ScenarioTests(medium)
{
    private const int Requests = 10_000;

    private const string Clusters = """
        routes:
          - { match: { path: /turns/ }, cluster: turns }
          - { match: { path: /shares/ }, cluster: shares }
          - { match: { path: /fewest/ }, cluster: fewest }
          - { match: { path: /hashed/ }, cluster: hashed }
          - { match: { path: /sticky/ }, cluster: sticky }
        clusters:
          turns: { backends: [ "${a}", "${b}", "${c}" ] }
          shares:
            algorithm: weighted_round_robin
            backends: [ { address: "${a}", weight: 5 }, { address: "${b}", weight: 2 }, { address: "${c}", weight: 1 } ]
          fewest:
            algorithm: least_connections
            backends: [ "${a}", { address: "${b}", weight: 2 }, "${c}" ]
          hashed: { algorithm: hash, hash: { key: "header:X-User" }, backends: [ "${a}", "${b}", "${c}" ] }
          sticky: { sticky: {}, backends: [ "${a}", "${b}", "${c}" ] }
        """;

    private static readonly string[] Paths = ["/turns/", "/shares/", "/fewest/", "/hashed/", "/sticky/"];

    [Test]
    public async Task Ten_thousand_requests_go_where_explain_says()
    {
        await StartAsync(Clusters);
        foreach (var name in (string[])["a", "b", "c"])
            World.Backend(name).Answers(ScriptedBackend.Ok(name));
        var explain = Explain();
        var client = await World.ConnectAsync();
        var held = new List<ScriptedClient>();
        var cookies = new List<string>();
        var random = new Random(17);

        for (var request = 0; request < Requests; request++)
        {
            if (random.Next(20) == 0)
                await HoldOrReleaseAsync(held, Paths[random.Next(Paths.Length)], random);

            var path = $"{Paths[random.Next(Paths.Length)]}{request}";
            var lines = new List<string> { "Host: x", $"X-User: {random.Next(50)}" };
            if (cookies.Count > 0 && random.Next(2) == 0)
                lines.Add($"Cookie: {cookies[random.Next(cookies.Count)]}");

            var told = explain.Explain(new("GET", path, "127.0.0.1", lines), draw: 0);
            Assert.That(told.Decision, Is.EqualTo("send"), told.Why);
            Assert.That(told.Backends.Single(one => one.Chosen).Id, Is.EqualTo(told.Backend));

            await client.SendAsync($"GET {path} HTTP/1.1\r\n{string.Join("\r\n", lines)}\r\n\r\n");
            var response = await client.ReadResponseAsync();
            var record = await World.RecordAsync();
            Assert.That($"{told.Cluster}/{record.Backend}", Is.EqualTo($"{told.Cluster}/{told.Backend!.Split('/')[1]}"),
                $"request {request}, {path}: {told.Why}");
            if (response["Set-Cookie"] is { } cookie)
                cookies.Add(cookie.Split(';')[0]);
        }

        foreach (var last in held)
            await ReleaseAsync(last);
    }

    [Test]
    public async Task What_is_refused_is_refused_in_the_same_words()
    {
        await StartAsync("""
            routes: [ { match: { path: /a/ }, cluster: web } ]
            clusters: { web: { backends: [ "${a}" ] } }
            """);
        World.Backend("a").Answers(ScriptedBackend.Ok("a"));
        var client = await World.ConnectAsync();

        foreach (var (target, lines) in ((string, string[])[])
            [("/b", ["Host: x"]), ("/a/", ["Host: x", "Host: y"]), ("/a/", ["Host: x", "Transfer-Encoding: gzip"])])
        {
            var told = Explain().Explain(new("GET", target, "127.0.0.1", lines), draw: 0);

            await client.SendAsync($"GET {target} HTTP/1.1\r\n{string.Join("\r\n", lines)}\r\n\r\n");
            var response = await client.ReadResponseAsync();
            var record = await World.RecordAsync();
            Assert.That((told.Decision, told.Status, told.Reason),
                Is.EqualTo(("refuse", response.Status, record.Reason)), target);
            client = await World.ConnectAsync();
        }
    }

    private ExplainAdmin Explain() => new(World.Server.Store, World.Heartbeat, () => []);

    // Requests whose content is not all there keep a backend busy for as long as the test wants.
    private async Task HoldOrReleaseAsync(List<ScriptedClient> held, string path, Random random)
    {
        if (held.Count > 8 || (held.Count > 0 && random.Next(2) == 0))
        {
            var one = held[random.Next(held.Count)];
            held.Remove(one);
            await ReleaseAsync(one);
            return;
        }

        var inFlight = World.InFlight;
        var client = await World.ConnectAsync();
        await client.SendAsync($"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n");
        await Eventually.HoldsAsync(() => World.InFlight == inFlight + 1, () => "a backend is busy");
        held.Add(client);
    }

    private async Task ReleaseAsync(ScriptedClient client)
    {
        await client.SendAsync("x");
        await client.ReadResponseAsync();
        await World.RecordAsync();
    }
}
