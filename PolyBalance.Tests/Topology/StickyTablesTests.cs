using NUnit.Framework;
using PolyBalance.Configuration;
using PolyBalance.Topology;

namespace PolyBalance.Tests.Topology;

/// <summary>What becomes of the keys and tables of sticky sessions from snapshot to snapshot.</summary>
internal sealed class StickyTablesTests
{
    [Test]
    public async Task A_key_that_was_made_at_the_start_lives_through_every_snapshot()
    {
        await using var worlds = new Worlds();
        var first = worlds.Build(File("round_robin", "sticky: { }"));
        var second = worlds.Build(File("random", "sticky: { max_age: 2h }"), first);
        var elsewhere = worlds.Build(File("round_robin", "sticky: { }"));

        Assert.That(second.Clusters[0].Sticky, Is.Not.SameAs(first.Clusters[0].Sticky));
        Assert.That(second.Clusters[0].Sticky!.Keys, Is.SameAs(first.Clusters[0].Sticky!.Keys));
        Assert.That(elsewhere.Clusters[0].Sticky!.Keys, Is.Not.EqualTo(first.Clusters[0].Sticky!.Keys));
    }

    [Test]
    public async Task A_snapshot_of_the_same_options_keeps_the_table()
    {
        await using var worlds = new Worlds();
        var first = worlds.Build(File("round_robin", "sticky: { }"));
        var backend = first.Clusters[0].Backends[0];
        backend.Passive.Eject(backend.Now);
        var second = SnapshotBuilder.Refresh(first);

        Assert.That(second, Is.Not.SameAs(first));
        Assert.That(second.Clusters[0].Sticky, Is.SameAs(first.Clusters[0].Sticky));
    }

    [Test]
    public async Task Keys_of_a_file_take_the_place_of_those_that_were_made_and_go_with_the_file()
    {
        await using var worlds = new Worlds();
        var made = worlds.Build(File("round_robin", "sticky: { }"));
        Assert.That(SigningKeys.TryParse(new string('k', 32), "keys", out var keys, out _), Is.True);
        var cluster = made.Options.Clusters[0];
        var read = made.Options with
        {
            Clusters = [cluster with { Sticky = cluster.Sticky! with { KeyFile = "keys", Keys = keys } }],
        };
        var second = worlds.Build(read, made);
        var third = worlds.Build(made.Options, second);

        Assert.That(second.Clusters[0].Sticky!.Keys, Is.SameAs(keys));
        Assert.That(third.Clusters[0].Sticky!.Keys, Is.Not.EqualTo(keys));
    }

    [Test]
    public async Task A_key_file_that_nobody_has_read_is_a_bug_and_not_a_key_made_up()
    {
        await using var worlds = new Worlds();

        Assert.That(() => worlds.Build(File("round_robin", "sticky: { key_file: keys }")),
            Throws.InvalidOperationException);
        Assert.That(worlds.Build(File("round_robin", "sticky: off")).Clusters[0].Sticky, Is.Null);
    }

    private static string File(string algorithm, string keys)
        => $"clusters: {{ web: {{ algorithm: {algorithm}, {keys}, backends: [ \"10.0.0.1:80\", \"10.0.0.2:80\" ] }} }}";
}
