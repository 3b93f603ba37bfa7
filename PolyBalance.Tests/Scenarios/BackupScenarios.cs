using NUnit.Framework;
using PolyBalance.Admin;
using PolyBalance.Backends;
using PolyBalance.Tests.Support;
using PolyBalance.Topology;

namespace PolyBalance.Tests.Scenarios;

/// <summary>Backends that are for when no others can be used.</summary>
internal sealed class BackupScenarios(Medium medium) : ScenarioTests(medium)
{
    private const string TwoAndABackup = "clusters: { app: { backends: "
        + "[ \"${a}\", { address: \"${b}\", backup: true }, \"${c}\" ] } }";

    private Cluster Cluster => World.Server.Store.Current.Clusters[0];

    [Test]
    public async Task A_backup_gets_nothing_while_another_backend_works()
    {
        await StartAsync(TwoAndABackup);
        AnswerByName("a", "b", "c");
        Cluster.Backends[0].BeginDrain(DrainCauses.Operator);
        await IsAloneAsync(2);
        var client = await World.ConnectAsync();

        for (var request = 0; request < 20; request++)
            Assert.That((await client.GetAsync()).Text, Is.EqualTo("c"));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((200, "", 1)));
    }

    [Test]
    public async Task A_request_that_all_before_it_refuse_goes_to_the_backup_whatever_its_method()
    {
        await StartAsync(TwoAndABackup);
        World.Backend("a").StopListening();
        World.Backend("c").StopListening();
        AnswerByName("b");
        var client = await World.ConnectAsync();

        Assert.That((await client.PostAsync("content", "POST")).Text, Is.EqualTo("b"));

        var record = await World.RecordAsync();
        Assert.That(record.Outcome, Is.EqualTo((200, "", 3)));
        Assert.That(record.Details, Is.EqualTo((string[])["connect_refused 0", "connect_refused 0", " 200"]));
    }

    [Test]
    public async Task When_nobody_before_it_can_be_used_the_backup_gets_everything_at_once()
    {
        await StartAsync(TwoAndABackup);
        AnswerByName("a", "b", "c");
        Cluster.Backends[0].BeginDrain(DrainCauses.Operator);
        Cluster.Backends[2].BeginDrain(DrainCauses.Probe);
        await IsAloneAsync(1);
        var client = await World.ConnectAsync();

        for (var request = 0; request < 20; request++)
            Assert.That((await client.GetAsync()).Text, Is.EqualTo("b"));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((200, "", 1)));
    }

    [Test]
    public async Task A_request_waits_for_a_busy_backend_although_a_backup_has_nothing_to_do()
    {
        await StartAsync("clusters: { app: { pool: { max_connections: 1 }, backends: "
            + "[ \"${a}\", { address: \"${b}\", backup: true } ] } }");
        AnswerByName("b");
        var first = await World.ConnectAsync();
        await first.SendGetAsync();
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();
        var second = await World.ConnectAsync();
        await second.SendGetAsync();
        await Eventually.HoldsAsync(() => Cluster.Queue.Waiting == 1, () => "it waits");

        await backend.SendAsync(ScriptedBackend.Ok("a"));
        await backend.ReadRequestAsync();
        await backend.SendAsync(ScriptedBackend.Ok("a"));

        Assert.That((await first.ReadResponseAsync()).Text, Is.EqualTo("a"));
        Assert.That((await second.ReadResponseAsync()).Text, Is.EqualTo("a"));
    }

    [Test]
    public async Task A_session_that_began_at_a_backup_stays_there_when_the_others_are_back()
    {
        await StartAsync("clusters: { app: { sticky: {}, backends: "
            + "[ \"${a}\", { address: \"${b}\", backup: true } ] } }");
        AnswerByName("a", "b");
        Cluster.Backends[0].BeginDrain(DrainCauses.Operator);
        await IsAloneAsync(1);
        var client = await World.ConnectAsync();
        var cookie = (await client.GetAsync())["Set-Cookie"]!.Split(';')[0];

        Cluster.Backends[0].EndDrain(DrainCauses.Operator, "test");
        await IsAloneAsync(0);

        Assert.That((await client.GetAsync(lines: $"Cookie: {cookie}\r\n")).Text, Is.EqualTo("b"));
        Assert.That((await client.GetAsync()).Text, Is.EqualTo("a"));
    }

    [Test]
    public async Task Explain_says_who_stands_by_and_why_a_backup_is_asked()
    {
        await StartAsync(TwoAndABackup);
        var explain = new ExplainAdmin(World.Server.Store, World.Heartbeat, () => []);
        Explanation Ask() => explain.Explain(new("GET", "/", "127.0.0.1", ["Host: x"]), draw: 0);

        var told = Ask();
        Assert.That(told.Backends.Select(one => one.Eligible), Is.EqualTo([true, false, true]));
        Assert.That(told.Backends[1].Why, Is.EqualTo("it is a backup, and those before it work"));
        Assert.That(told.Then, Has.Count.EqualTo(2), "the other one, and the backup");
        Assert.That(told.Then[1], Is.EqualTo(told.Backends[1].Id));

        Cluster.Backends[0].BeginDrain(DrainCauses.Operator);
        Cluster.Backends[2].BeginDrain(DrainCauses.Operator);
        await IsAloneAsync(1);

        told = Ask();
        Assert.That(told.Backend, Is.EqualTo(told.Backends[1].Id));
        Assert.That(told.Why, Is.EqualTo(
            "it is a backup, and those before it are not in full service; it is the only one that is eligible"));
    }

    // The only one of the first tier that has anybody.
    private async Task IsAloneAsync(int index)
        => await Eventually.HoldsAsync(
            () => Cluster.Eligible is [var one] && one.Backend == Cluster.Backends[index], () => $"{index} is alone");

    private void AnswerByName(params string[] names)
    {
        foreach (var name in names)
            World.Backend(name).Answers(ScriptedBackend.Ok(name));
    }
}
