using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Topology;

namespace PolyBalance.Tests.Topology;

/// <summary>Who gets new work while backends drain.</summary>
internal sealed class DrainTests
{
    private const string Two = "clusters: { web: { backends: [ \"10.0.0.1:80\", \"10.0.0.2:80\" ] } }";
    private const string TwoUseAll = "clusters: { web: { when_none_eligible: use_all, "
        + "backends: [ \"10.0.0.1:80\", \"10.0.0.2:80\" ] } }";

    // What the first and the second backend are, and who of them gets new work.
    // h: healthy, u: unhealthy, e: ejected; o, p, r: drained by the operator, by a probe, by a response.
    [TestCase("h h", ExpectedResult = "1 2")]
    [TestCase("o h", ExpectedResult = "2")]
    [TestCase("p h", ExpectedResult = "2")]
    [TestCase("r h", ExpectedResult = "2")]
    [TestCase("p r", ExpectedResult = "1 2", TestName = "who leaves by his own wish is better than nobody")]
    [TestCase("p u", ExpectedResult = "1", TestName = "so is the only healthy one")]
    [TestCase("o p", ExpectedResult = "2", TestName = "the operator's word holds in any case")]
    [TestCase("o o", ExpectedResult = "", TestName = "even when nobody else is left")]
    [TestCase("o u", ExpectedResult = "")]
    [TestCase("u r", ExpectedResult = "2")]
    public async Task<string> Draining_backends_get_new_work_only_when_they_wish_to_leave_and_nobody_else_is_there(
        string states)
        => await EligibleAsync(Two, states);

    [TestCase("o u", ExpectedResult = "2", TestName = "use_all: all but what the operator has drained")]
    [TestCase("p u", ExpectedResult = "1", TestName = "use_all: a working backend is enough")]
    [TestCase("u u", ExpectedResult = "1 2", TestName = "use_all: everybody, when nobody works")]
    public async Task<string> Where_all_are_used_when_none_is_eligible(string states)
        => await EligibleAsync(TwoUseAll, states);

    [Test]
    public async Task A_backend_is_not_ejected_when_the_only_other_one_drains()
    {
        await using var worlds = new Worlds();
        var snapshot = worlds.Build(Two);
        var (failing, draining) = (snapshot.Clusters[0].Backends[0], snapshot.Clusters[0].Backends[1]);
        draining.BeginDrain(DrainCauses.Probe);

        failing.FailOften();

        snapshot = SnapshotBuilder.Refresh(snapshot);
        Assert.That(failing.Passive.Stage, Is.EqualTo(ServiceStage.InService));
        Assert.That(snapshot.Clusters[0].Eligible.Single().Backend, Is.SameAs(failing));
    }

    [Test]
    public async Task The_file_drains_a_backend_and_takes_that_back_and_its_connections_stay()
    {
        await using var worlds = new Worlds();
        var first = worlds.Build(Two);
        var drained = worlds.Build(
            "clusters: { web: { backends: [ { address: \"10.0.0.1:80\", drain: true }, \"10.0.0.2:80\" ] } }", first);
        var back = worlds.Build(Two, drained);

        Assert.That(drained.Clusters[0].Eligible.Single().Backend, Is.SameAs(first.Clusters[0].Backends[1]));
        Assert.That(drained.Clusters[0].Backends[0], Is.SameAs(first.Clusters[0].Backends[0]));
        Assert.That(back.Clusters[0].Eligible, Has.Length.EqualTo(2));
    }

    [Test]
    public async Task Who_is_back_from_a_drain_starts_slowly_for_he_was_restarted_most_likely()
    {
        await using var worlds = new Worlds();
        var snapshot = worlds.Build(Two);
        var backend = snapshot.Clusters[0].Backends[0];
        backend.BeginDrain(DrainCauses.Probe);
        snapshot = SnapshotBuilder.Refresh(snapshot);

        backend.EndDrain(DrainCauses.Probe, "test");
        snapshot = SnapshotBuilder.Refresh(snapshot);

        Assert.That(snapshot.Clusters[0].Eligible.Select(candidate => candidate.Weight), Is.EqualTo(new[] { 1, 10 }));
    }

    private static async Task<string> EligibleAsync(string clusters, string states)
    {
        await using var worlds = new Worlds();
        var snapshot = worlds.Build(clusters);
        var backends = snapshot.Clusters[0].Backends;
        for (var index = 0; index < backends.Length; index++)
            backends[index].Put(states[2 * index]);

        snapshot = SnapshotBuilder.Refresh(snapshot);
        return string.Join(' ',
            snapshot.Clusters[0].Eligible.Select(candidate => backends.IndexOf(candidate.Backend) + 1));
    }
}
