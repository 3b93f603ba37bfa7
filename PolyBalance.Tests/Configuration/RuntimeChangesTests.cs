using NUnit.Framework;
using PolyBalance.Configuration;

namespace PolyBalance.Tests.Configuration;

internal sealed class RuntimeChangesTests
{
    private const string A = "{ address: \"a:1\", name: a, weight: 2 }";
    private const string B = "{ address: \"b:1\", name: b }";

    private static readonly ProxyOptions File = Read($"algorithm: round_robin, backends: [ {A}, {B} ]");

    [Test]
    public void What_applies_is_the_file_with_the_changes()
    {
        var changes = RuntimeChanges.None.WithAlgorithm(File, "web", "random").WithWeight(File, "web", "a", 7)
            .WithDrain(File, "web", "b", true).WithAdded(File, "web", Backend("c"));

        Assert.That(Show(changes.ApplyTo(File)), Is.EqualTo("random: a 7, b 1 draining, c 1"));
    }

    [Test]
    public void A_value_that_is_set_back_to_what_the_file_says_is_no_change()
    {
        var changes = RuntimeChanges.None.WithAlgorithm(File, "web", "random").WithWeight(File, "web", "a", 7)
            .WithDrain(File, "web", "b", true).WithRemoved(File, "web", "b");
        changes = changes.WithAlgorithm(File, "web", "round_robin").WithWeight(File, "web", "a", 2)
            .WithAdded(File, "web", File.Clusters[0].Backends[1]);

        Assert.That(changes.All, Is.Empty);
        Assert.That(changes.ApplyTo(File), Is.EqualTo(File));
    }

    [Test]
    public void A_backend_that_was_added_takes_its_own_changes_along_when_it_goes()
    {
        var changes = RuntimeChanges.None.WithAdded(File, "web", Backend("c")).WithWeight(File, "web", "c", 9)
            .WithDrain(File, "web", "c", true);

        Assert.That(Show(changes.ApplyTo(File)), Is.EqualTo("round_robin: a 2, b 1, c 9 draining"));
        Assert.That(changes.WithRemoved(File, "web", "c").All, Is.Empty);
    }

    private static readonly string[][] Reloads =
    [
        ["round_robin", "$A, $B, \"d:1\"", "random: a 7, d:1 1, c 1", ""],
        ["peak_ewma", "$A, $B", "peak_ewma: a 7, c 1", "cluster web: algorithm random"],
        ["round_robin", "{ address: \"a:1\", name: a, weight: 3 }, $B", "random: a 3, c 1", "backend web/a: weight 7"],
        ["round_robin", "$B", "random: c 1", "backend web/a: weight 7"],
        ["round_robin", "$A", "random: a 7, c 1", "backend web/b: removed"],
        ["round_robin", "$A, { address: \"b:1\", name: b, weight: 5 }", "random: a 7, b 5, c 1",
            "backend web/b: removed"],
        ["round_robin", "$A, $B, { address: \"c:1\", name: c, weight: 4 }", "random: a 7, c 4",
            "backend web/c: added"],
        ["round_robin", "$A, $B, { address: \"c:1\", name: x }", "random: a 7, x 1", "backend web/c: added"],
    ];

    [TestCaseSource(nameof(Reloads))]
    public void A_change_outlives_a_reload_unless_the_file_changed_its_value(
        string algorithm, string backends, string applies, string superseded)
    {
        var changes = RuntimeChanges.None.WithAlgorithm(File, "web", "random").WithWeight(File, "web", "a", 7)
            .WithRemoved(File, "web", "b").WithAdded(File, "web", Backend("c"));
        var written = backends.Replace("$A", A, StringComparison.Ordinal).Replace("$B", B, StringComparison.Ordinal);
        var after = Read($"algorithm: {algorithm}, backends: [ {written} ]");

        var kept = changes.CarryOver(File, after, out var gone);

        Assert.That(Show(kept.ApplyTo(after)), Is.EqualTo(applies));
        Assert.That(string.Join("; ", gone), Is.EqualTo(superseded));
    }

    [TestCaseSource(nameof(Reloads))]
    public void A_change_outlives_the_process_unless_the_file_changed_its_value(
        string algorithm, string backends, string applies, string superseded)
    {
        var changes = RuntimeChanges.None.WithAlgorithm(File, "web", "random").WithWeight(File, "web", "a", 7)
            .WithRemoved(File, "web", "b").WithAdded(File, "web", Backend("c"), "written");
        var written = backends.Replace("$A", A, StringComparison.Ordinal).Replace("$B", B, StringComparison.Ordinal);
        var after = Read($"algorithm: {algorithm}, backends: [ {written} ]");

        var kept = CarriedChange.Apply(
            CarriedChange.Of(changes, File), after,
            change => change.Written == "written" ? Backend(change.Backend) : null, out var gone);

        Assert.That(Show(kept.ApplyTo(after)), Is.EqualTo(applies));
        Assert.That(string.Join("; ", gone), Is.EqualTo(superseded));
        Assert.That(CarriedChange.Of(kept, after), Has.Count.EqualTo(4 - gone.Count), "and goes on to the next one");
    }

    [Test]
    public void A_backend_that_was_added_and_cannot_be_read_again_is_told()
    {
        var changes = RuntimeChanges.None.WithAdded(File, "web", Backend("c")).WithWeight(File, "web", "c", 9);

        Assert.That(
            CarriedChange.Apply(CarriedChange.Of(changes, File), File, _ => null, out var gone).All, Is.Empty);
        Assert.That(string.Join("; ", gone), Is.EqualTo("backend web/c: added"));
        var again = CarriedChange.Apply(CarriedChange.Of(changes, File), File, _ => Backend("c"), out _);
        Assert.That(Show(again.ApplyTo(File)), Is.EqualTo("round_robin: a 2, b 1, c 9"));
    }

    [Test]
    public void Nothing_stays_of_a_cluster_that_is_gone()
    {
        var changes = RuntimeChanges.None.WithAlgorithm(File, "web", "random").WithAdded(File, "web", Backend("c"));
        var after = Read("backends: [ \"z:1\" ]", cluster: "other");

        Assert.That(changes.CarryOver(File, after, out var gone).All, Is.Empty);
        Assert.That(gone, Has.Count.EqualTo(2));
    }

    private static BackendOptions Backend(string name) => new() { Address = Address.Tcp(name, 1), Name = name };

    private static ProxyOptions Read(string keys, string cluster = "web") => ProxyOptions.Parse(
        $"listeners: [ {{ bind: \":8000\" }} ]\nclusters: {{ {cluster}: {{ {keys} }} }}", "test.yaml").Options!;

    private static string Show(ProxyOptions options) => $"{options.Clusters[0].Algorithm}: " + string.Join(", ",
        options.Clusters[0].Backends.Select(one => $"{one.Name} {one.Weight}{(one.IsDrained ? " draining" : "")}"));
}
