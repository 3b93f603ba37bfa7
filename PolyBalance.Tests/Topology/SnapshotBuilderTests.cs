using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Tests.Balancing;
using PolyBalance.Topology;

namespace PolyBalance.Tests.Topology;

internal sealed class SnapshotBuilderTests
{
    private const string One = "web: { backends: [ \"10.0.0.1:80\", \"10.0.0.2:80\" ] }";

    [Test]
    public async Task The_first_snapshot_is_number_one_and_each_next_one_counts_up()
    {
        await using var worlds = new Worlds();

        var first = worlds.Build($"clusters: {{ {One} }}");
        var second = worlds.Build($"clusters: {{ {One} }}", first);

        Assert.That((first.Version, second.Version), Is.EqualTo((1L, 2L)));
    }

    [Test]
    public async Task A_cluster_whose_options_are_equal_keeps_its_very_objects()
    {
        await using var worlds = new Worlds();
        var first = worlds.Build($"clusters: {{ {One} }}");

        var second = worlds.Build(
            $$"""
            shutdown: { drain: 3s }
            routes: [ { cluster: web } ]
            clusters: { {{One}}, other: { backends: [] } }
            """,
            first);

        Assert.That(second.Clusters[0], Is.SameAs(first.Clusters[0]));
        Assert.That(second.Routes.Routes[0].Cluster, Is.SameAs(first.Clusters[0]));
    }

    [Test]
    public async Task A_backend_is_carried_over_when_others_come_and_go()
    {
        await using var worlds = new Worlds();
        var first = worlds.Build($"clusters: {{ {One} }}");

        var second = worlds.Build("clusters: { web: { backends: [ \"10.0.0.3:80\", \"10.0.0.1:80\" ] } }", first);

        var (before, after) = (first.Clusters[0], second.Clusters[0]);
        Assert.That(after, Is.Not.SameAs(before));
        Assert.That(after.Backends[1], Is.SameAs(before.Backends[0]));
        Assert.That(after.Backends[0].Address, Is.EqualTo("10.0.0.3:80"));
        Assert.That(after.Selector, Is.Not.SameAs(before.Selector));
        Assert.That(second.Backends(), Is.EqualTo(after.Backends));
    }

    [TestCase("timeouts: { response: 9s }", true)]
    [TestCase("retries: off", true)]
    [TestCase("host: backend", true)]
    [TestCase("pool: { size: 3 }", false)]
    [TestCase("timeouts: { connect: 9s }", false)]
    public async Task A_backend_is_carried_over_unless_its_connections_depend_on_the_change(string change, bool isKept)
    {
        await using var worlds = new Worlds();
        var first = worlds.Build("clusters: { web: { backends: [ \"10.0.0.1:80\" ] } }");

        var second = worlds.Build($"clusters: {{ web: {{ {change}, backends: [ \"10.0.0.1:80\" ] }} }}", first);

        Assert.That(ReferenceEquals(second.Clusters[0].Backends[0], first.Clusters[0].Backends[0]), Is.EqualTo(isKept));
    }

    [Test]
    public async Task A_backend_that_is_renamed_or_reweighted_keeps_its_connections_and_gets_its_name()
    {
        await using var worlds = new Worlds();
        var first = worlds.Build("clusters: { web: { backends: [ { address: \"10.0.0.1:80\", name: old } ] } }");

        var second = worlds.Build(
            "clusters: { web: { backends: [ { address: \"10.0.0.1:80\", name: new, weight: 3 } ] } }", first);

        Assert.That(second.Clusters[0].Backends[0], Is.SameAs(first.Clusters[0].Backends[0]));
        Assert.That(second.Clusters[0].Backends[0].Name, Is.EqualTo("new"));
    }

    [Test]
    public async Task Two_clusters_never_share_a_backend()
    {
        await using var worlds = new Worlds();

        var snapshot = worlds.Build(
            """
            routes: [ { cluster: a } ]
            clusters: { a: { backends: [ "10.0.0.1:80" ] }, b: { backends: [ "10.0.0.1:80" ] } }
            """);

        Assert.That(snapshot.Backends().Distinct().Count(), Is.EqualTo(2));
    }

    [Test]
    public async Task An_empty_cluster_picks_nobody()
    {
        await using var worlds = new Worlds();

        var cluster = worlds.Build("clusters: { web: { backends: [] } }").Clusters[0];

        Assert.That(cluster.Backends, Is.Empty);
        Assert.That(cluster.Selector.PickOne(), Is.Null);
    }

    [Test]
    public async Task Only_backends_with_a_verdict_in_their_favour_are_eligible()
    {
        await using var worlds = new Worlds();
        var first = worlds.Build($"routes: [ {{ cluster: web }} ]\nclusters: {{ {One}, other: {{ backends: [] }} }}");
        var backend = first.Clusters[0].Backends[1];

        backend.Judge(Verdict.Unhealthy);
        var second = SnapshotBuilder.Refresh(first);

        Assert.That(first.Clusters[0].Eligible, Has.Length.EqualTo(2), "a snapshot does not change");
        Assert.That(
            second.Clusters[0].Eligible, Is.EqualTo(new[] { new Candidate(first.Clusters[0].Backends[0], 1) }));
        Assert.That(second.Clusters[0].Selector.PickOne(), Is.SameAs(first.Clusters[0].Backends[0]));
        Assert.That(second.Routes.Routes[0].Cluster, Is.SameAs(second.Clusters[0]));
        Assert.That(second.Clusters[1], Is.SameAs(first.Clusters[1]), "nothing has changed there");
        Assert.That(second.Version, Is.EqualTo(2));
    }

    [Test]
    public async Task Nothing_is_published_when_nothing_follows_from_what_is_new()
    {
        await using var worlds = new Worlds();
        var first = worlds.Build($"clusters: {{ {One} }}");

        first.Clusters[0].Backends[1].Judge(Verdict.Healthy);

        Assert.That(SnapshotBuilder.Refresh(first), Is.SameAs(first));
    }

    [TestCase("refuse", 0)]
    [TestCase("use_all", 2)]
    public async Task When_no_backend_is_eligible_the_configuration_decides(string rule, int expected)
    {
        await using var worlds = new Worlds();
        var first = worlds.Build(
            $"clusters: {{ web: {{ when_none_eligible: {rule}, backends: [ \"10.0.0.1:80\", \"10.0.0.2:80\" ] }} }}");
        foreach (var backend in first.Backends())
            backend.Judge(Verdict.Unhealthy);

        Assert.That(SnapshotBuilder.Refresh(first).Clusters[0].Eligible, Has.Length.EqualTo(expected));
    }

    [Test]
    public async Task A_backend_of_weight_zero_is_never_picked()
    {
        await using var worlds = new Worlds();

        var cluster = worlds.Build(
            "clusters: { web: { backends: [ { address: \"10.0.0.1:80\", weight: 0 }, \"10.0.0.2:80\" ] } }")
            .Clusters[0];

        Assert.That(cluster.Eligible, Is.EqualTo(new[] { new Candidate(cluster.Backends[1], 1) }));
    }

    [Test]
    public async Task A_cluster_knows_how_often_and_how_much_may_be_tried_again()
    {
        await using var worlds = new Worlds();

        var clusters = worlds.Build(
            """
            routes: [ { cluster: a } ]
            clusters:
              a: { backends: [] }
              b: { backends: [], retries: { attempts: 1, replay_buffer: 1KiB } }
              c: { backends: [], retries: off }
            """).Clusters;

        Assert.That(clusters.Select(cluster => (cluster.AttemptsMax, cluster.ReplayBytesMax)),
            Is.EqualTo(new[] { (3, 64 * 1024), (2, 1024), (1, 0) }));
    }
}
