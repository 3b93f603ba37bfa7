using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Topology;

namespace PolyBalance.Tests.Topology;

/// <summary>Who gets requests when some of the backends are backups.</summary>
internal sealed class BackupTests
{
    private const string Backends =
        "backends: [ \"10.0.0.1:80\", { address: \"10.0.0.2:80\", backup: true }, \"10.0.0.3:80\" ]";

    private const string OneBehindTwo = "clusters: { web: { " + Backends + " } }";
    private const string OneBehindTwoUseAll =
        "clusters: { web: { when_none_eligible: use_all, " + Backends + " } }";

    private const string OneBehindOne =
        "clusters: { web: { backends: [ { address: \"10.0.0.2:80\", backup: true }, \"10.0.0.1:80\" ] } }";

    // What the three backends are, and who gets requests, tier by tier. The second one is the backup.
    // h: healthy, u: unhealthy, e: ejected; o, p: drained by the operator, by a probe.
    [TestCase("h h h", ExpectedResult = "1 3 | 2")]
    [TestCase("u h h", ExpectedResult = "3 | 2")]
    [TestCase("h u h", ExpectedResult = "1 3")]
    [TestCase("u h u", ExpectedResult = "2", TestName = "nobody before it can be used")]
    [TestCase("e h u", ExpectedResult = "2", TestName = "one before it is ejected, the other is unhealthy")]
    [TestCase("o h o", ExpectedResult = "2", TestName = "the operator has drained those before it")]
    [TestCase("p h u", ExpectedResult = "2", TestName = "a backup is better than one that wishes to leave")]
    [TestCase("p u u", ExpectedResult = "1", TestName = "which is better than nobody")]
    [TestCase("u u u", ExpectedResult = "")]
    [TestCase("u o u", ExpectedResult = "")]
    public async Task<string> Backups_get_requests_when_nobody_before_them_can_be_used(string states)
        => await TiersAsync(OneBehindTwo, states);

    [TestCase("u u u", ExpectedResult = "1 3 | 2")]
    [TestCase("u h u", ExpectedResult = "2", TestName = "use_all: a backup that works is enough")]
    public async Task<string> Where_all_are_used_when_none_is_eligible(string states)
        => await TiersAsync(OneBehindTwoUseAll, states);

    [Test]
    public async Task Weights_compare_within_a_tier()
    {
        await using var worlds = new Worlds();
        var snapshot = worlds.Build(OneBehindTwo);
        var backup = snapshot.Clusters[0].Backends[1];
        backup.Judge(Verdict.Unhealthy);
        snapshot = SnapshotBuilder.Refresh(snapshot);
        backup.Judge(Verdict.Healthy);

        // It starts slowly, which is no reason to write the weights of the others in tenths.
        snapshot = SnapshotBuilder.Refresh(snapshot);

        Assert.That(snapshot.Clusters[0].Candidates.Select(candidate => candidate.Weight), Is.All.EqualTo(1));
    }

    [Test]
    public async Task An_exchange_that_has_tried_all_before_it_goes_to_the_backup_and_then_nowhere()
    {
        await using var worlds = new Worlds();
        var cluster = worlds.Build(OneBehindTwo).Clusters[0];
        var (first, backup, third) = (cluster.Backends[0], cluster.Backends[1], cluster.Backends[2]);

        Assert.That(Find(cluster, first), Is.SameAs(third));
        Assert.That(cluster.Placement.HasOthersThan([first, third]), Is.True);
        Assert.That(Find(cluster, first, third), Is.SameAs(backup));
        Assert.That(cluster.Placement.HasOthersThan([first, backup, third]), Is.False);
        Assert.That(Find(cluster, first, third, backup), Is.Null);
    }

    [Test]
    public async Task That_the_others_are_busy_is_no_reason_to_go_to_the_backup()
    {
        await using var worlds = new Worlds();
        var cluster = worlds.Build("clusters: { web: { queue: off, pool: { max_connections: 1 }, "
            + "backends: [ \"10.0.0.1:80\", { address: \"10.0.0.2:80\", backup: true } ] } }").Clusters[0];

        Assert.That(Find(cluster), Is.SameAs(cluster.Backends[0]));
        Assert.That(Find(cluster), Is.Null);
        Assert.That(Find(cluster, cluster.Backends[0]), Is.SameAs(cluster.Backends[1]));
    }

    [Test]
    public async Task One_that_is_back_takes_over_from_its_backup_step_by_step()
    {
        await using var worlds = new Worlds();
        var snapshot = worlds.Build(OneBehindOne);
        var (backup, first) = (snapshot.Clusters[0].Backends[0], snapshot.Clusters[0].Backends[1]);
        first.Judge(Verdict.Unhealthy);
        snapshot = SnapshotBuilder.Refresh(snapshot);
        for (var request = 0; request < 40; request++)
            Assert.That(Find(snapshot.Clusters[0]), Is.SameAs(backup));

        first.Judge(Verdict.Healthy);
        snapshot = SnapshotBuilder.Refresh(snapshot);
        var placed = new List<Backend?>();
        for (var request = 0; request < 10; request++)
            placed.Add(Find(snapshot.Clusters[0]));

        // A tenth of what the backup has in flight; whoever comes then goes to the backup.
        Assert.That(placed.Take(4), Is.All.SameAs(first));
        Assert.That(placed.Skip(4), Is.All.SameAs(backup));

        worlds.Clock.Advance(TimeSpan.FromSeconds(11));
        snapshot = SnapshotBuilder.Refresh(snapshot);
        for (var request = 0; request < 100; request++)
            Assert.That(Find(snapshot.Clusters[0]), Is.SameAs(first), "it has its full share again");
    }

    [Test]
    public async Task Backups_that_stand_by_do_not_narrow_the_slow_start_of_the_others()
    {
        await using var worlds = new Worlds();
        var snapshot = worlds.Build(OneBehindTwo);
        var (first, third) = (snapshot.Clusters[0].Backends[0], snapshot.Clusters[0].Backends[2]);
        first.Judge(Verdict.Unhealthy);
        snapshot = SnapshotBuilder.Refresh(snapshot);
        for (var request = 0; request < 40; request++)
            Assert.That(Find(snapshot.Clusters[0]), Is.SameAs(third));

        first.Judge(Verdict.Healthy);
        SnapshotBuilder.Refresh(snapshot);

        var begun = 0;
        while (first.TryBegin(isLastResort: false, out _))
            begun++;
        Assert.That(begun, Is.EqualTo(4), "a tenth of what the other one has in flight");
    }

    [Test]
    public async Task The_last_one_before_the_backups_may_be_ejected_since_somebody_is_left()
    {
        await using var worlds = new Worlds();
        var snapshot = worlds.Build(OneBehindOne);
        var (backup, first) = (snapshot.Clusters[0].Backends[0], snapshot.Clusters[0].Backends[1]);

        first.FailOften();
        snapshot = SnapshotBuilder.Refresh(snapshot);

        Assert.That(first.Passive.Stage, Is.EqualTo(ServiceStage.Ejected));
        Assert.That(snapshot.Clusters[0].Eligible.Single().Backend, Is.SameAs(backup));
    }

    // What the three backends become, one after the other, and what is said of it. The second one is the backup.
    [TestCase("hhh uhh uhu uuu uhu", "W left", TestName = "once, however often nobody is left meanwhile")]
    [TestCase("hhh uhu hhu hhh", "W left, I others", TestName = "and once that there are others again")]
    [TestCase("hhh uuu hhh", "", TestName = "not when nobody can be used")]
    public async Task The_log_says_that_only_backups_are_left(string states, string expected)
    {
        await using var worlds = new Worlds();
        var snapshot = worlds.Build(OneBehindTwo);
        var backends = snapshot.Clusters[0].Backends;
        foreach (var state in states.Split(' '))
        {
            for (var index = 0; index < backends.Length; index++)
                backends[index].Judge(state[index] == 'h' ? Verdict.Healthy : Verdict.Unhealthy);
            snapshot = SnapshotBuilder.Refresh(snapshot);
        }

        var said = worlds.Log.All.Select(line => line switch
        {
            "W Cluster web has nobody left but backups, which get its requests now; 1 can be used" => "W left",
            "I Cluster web has others than its backups again" => "I others",
            _ => line,
        });
        Assert.That(string.Join(", ", said), Is.EqualTo(expected));
    }

    [Test]
    public async Task The_turns_of_backups_go_on_when_their_tier_does()
    {
        await using var worlds = new Worlds();
        var snapshot = worlds.Build("clusters: { web: { backends: [ \"10.0.0.1:80\", \"10.0.0.2:80\", "
            + "{ address: \"10.0.0.3:80\", backup: true }, { address: \"10.0.0.4:80\", backup: true } ] } }");
        var backends = snapshot.Clusters[0].Backends;
        var counts = new int[backends.Length];

        for (var round = 0; round < 100; round++)
        {
            // Each round another snapshot, and one request that has tried those before the backups.
            backends[0].Judge(round % 2 == 0 ? Verdict.Unhealthy : Verdict.Healthy);
            snapshot = SnapshotBuilder.Refresh(snapshot);
            var backup = Find(snapshot.Clusters[0], backends[0], backends[1]);
            counts[backends.IndexOf(backup!)]++;
        }

        Assert.That(counts, Is.EqualTo(new[] { 0, 0, 50, 50 }));
    }

    private static Backend? Find(Cluster cluster, params Backend[] tried)
        => cluster.Placement.Find(new SelectionContext(key: 0, cluster.Backends[0].Now, draw: 7, tried), out _);

    private static async Task<string> TiersAsync(string clusters, string states)
    {
        await using var worlds = new Worlds();
        var snapshot = worlds.Build(clusters);
        var backends = snapshot.Clusters[0].Backends;
        for (var index = 0; index < backends.Length; index++)
            backends[index].Put(states[2 * index]);

        var cluster = SnapshotBuilder.Refresh(snapshot).Clusters[0];
        var tiers = new List<string>();
        for (var tier = cluster.Placement; tier is not null; tier = tier.Backups)
        {
            tiers.Add(string.Join(' ', tier.Eligible.Select(candidate => backends.IndexOf(candidate.Backend) + 1)));
        }

        return string.Join(" | ", tiers);
    }
}
