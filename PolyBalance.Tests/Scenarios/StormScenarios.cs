using System.Collections.Concurrent;
using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Scenarios;

/// <summary>Many clients at once: exact sums, and no failure that a client could have been spared.</summary>
internal sealed class StormScenarios(Medium medium) : ScenarioTests(medium)
{
    private const int Clients = 60;
    private const int Rounds = 50;

    [Test]
    public async Task Sixty_clients_at_once_get_their_own_answers_and_backends_their_equal_shares()
    {
        await StartAsync(Three);
        foreach (var name in (string[])["a", "b", "c"])
            World.Backend(name).Answers(request => ScriptedBackend.Ok(request.StartLine + request.Text));

        await Task.WhenAll(Enumerable.Range(0, Clients).Select(number => Task.Run(() => AskAsync(number))));

        var shares = ((string[])["a", "b", "c"]).Select(name => World.Backend(name).Requests).ToList();
        Assert.That(shares, Is.All.EqualTo(Clients * Rounds / 3));
        Assert.That(World.BackendFailures, Is.Zero);
        await Eventually.HoldsAsync(() => World.RecordCount == Clients * Rounds, () => $"{World.RecordCount} are all");
    }

    [Test]
    public async Task No_get_fails_while_one_of_three_backends_is_killed_and_comes_back()
    {
        await StartAsync(Three);
        foreach (var name in (string[])["a", "b", "c"])
            World.Backend(name).Answers(request => ScriptedBackend.Ok(request.StartLine));
        var statuses = new ConcurrentBag<int>();
        var asked = 0;

        var clients = Enumerable.Range(0, Clients).Select(_ => Task.Run(async () =>
        {
            var client = await World.ConnectAsync();
            for (var round = 0; round < Rounds; round++)
            {
                Interlocked.Increment(ref asked);
                statuses.Add((await client.GetAsync()).Status);
            }
        })).ToList();
        for (var kill = 1; kill <= 4; kill++)
        {
            await SentAsync(kill * 500);
            World.Backend("a").Kill();
            await SentAsync((kill * 500) + 200);
            World.Backend("a").Revive();
        }

        Task SentAsync(int count)
            => Eventually.HoldsAsync(() => Volatile.Read(ref asked) > count, () => $"{asked} requests were sent");

        await Task.WhenAll(clients);
        Assert.That(statuses, Has.Count.EqualTo(Clients * Rounds));
        Assert.That(statuses.Distinct(), Is.EqualTo((int[])[200]));
        await Eventually.HoldsAsync(() => World.InFlight == 0, () => $"{World.InFlight} in flight are 0");
    }

    [Test]
    public async Task Clients_that_leave_at_any_moment_leave_nothing_behind()
    {
        await StartAsync(Two);
        foreach (var name in (string[])["a", "b"])
            World.Backend(name).Answers(request => ScriptedBackend.Ok(new string('x', 200_000)));

        await Task.WhenAll(Enumerable.Range(0, Clients).Select(number => Task.Run(() => LeaveAsync(number))));

        await Eventually.HoldsAsync(() => World.Server.ClientConnections == 0 && World.InFlight == 0,
            () => $"{World.Server.ClientConnections} connections and {World.InFlight} exchanges are gone");
        Assert.That(World.BackendFailures, Is.Zero);
    }

    private async Task AskAsync(int number)
    {
        var client = await World.ConnectAsync();
        for (var round = 0; round < Rounds; round += 2)
        {
            var get = await client.GetAsync($"/{number}/{round}");
            var post = await client.PostAsync($"{number} {round}");
            Assert.That(get.Text, Is.EqualTo($"GET /{number}/{round} HTTP/1.1"));
            Assert.That(post.Text, Does.EndWith($"HTTP/1.1{number} {round}"));
        }
    }

    private async Task LeaveAsync(int number)
    {
        var random = new Random(number);
        for (var round = 0; round < 10; round++)
        {
            var client = await World.ConnectAsync();
            await client.TrySendAsync(round % 2 == 0
                ? "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
                : $"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 50000\r\n\r\n{new string('y', random.Next(50_000))}");
            if (round % 2 == 0 && random.Next(3) > 0)
                await client.ReadSomeAsync(random.Next(1, 1000));
            if (random.Next(2) == 0)
                client.Reset();
            else
                client.Close();
        }
    }
}
