using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Scenarios;

/// <summary>Requests that have something in common go to the same backend: the algorithm <c>hash</c>.</summary>
internal sealed class AffinityScenarios(Medium medium) : ScenarioTests(medium)
{
    [Test]
    public async Task Requests_of_one_user_go_to_one_backend_and_those_of_many_to_all()
    {
        await StartAsync(TwoWith("algorithm: hash, hash: { key: \"header:X-User\" }"));
        AnswerByName();
        var client = await World.ConnectAsync();
        var homes = new Dictionary<int, string>();

        for (var request = 0; request < 60; request++)
        {
            var user = request % 20;
            var answered = await AskAsync(client, $"X-User: user-{user}\r\n");
            homes.TryAdd(user, answered);
            Assert.That(answered, Is.EqualTo(homes[user]), $"user {user}");
        }

        Assert.That(homes.Values.Distinct().Order(), Is.EqualTo(new[] { "a", "b" }));
    }

    [Test]
    public async Task Without_the_field_the_address_that_a_trusted_proxy_names_decides()
    {
        await StartAsync("listeners: [ { bind: \"127.0.0.1:8000\", trusted_proxies: [ 127.0.0.1 ] } ]\n"
            + TwoWith("algorithm: hash, hash: { key: \"header:X-User\" }"));
        AnswerByName();
        var client = await World.ConnectAsync();
        var homes = new Dictionary<int, string>();

        for (var request = 0; request < 60; request++)
        {
            var last = request % 20;
            var answered = await AskAsync(client, $"X-Forwarded-For: 192.0.2.{last}\r\n");
            homes.TryAdd(last, answered);
            Assert.That(answered, Is.EqualTo(homes[last]), $"client {last}");
        }

        Assert.That(homes.Values.Distinct().Order(), Is.EqualTo(new[] { "a", "b" }));
    }

    private void AnswerByName()
    {
        World.Backend("a").Answers(ScriptedBackend.Ok("a"));
        World.Backend("b").Answers(ScriptedBackend.Ok("b"));
    }

    private async Task<string> AskAsync(ScriptedClient client, string lines)
    {
        await client.SendAsync($"GET / HTTP/1.1\r\nHost: x\r\n{lines}\r\n");
        var response = await client.ReadResponseAsync();
        await World.RecordAsync();
        return response.Text;
    }
}
