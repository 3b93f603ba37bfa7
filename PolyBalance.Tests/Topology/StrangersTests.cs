using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Topology;

namespace PolyBalance.Tests.Topology;

/// <summary>Who is asked whether he works before a configuration is put in force.</summary>
internal sealed class StrangersTests
{
    private const string Before = "web: { backends: [ \"10.0.0.1:80\", \"10.0.0.2:80\", \"10.0.0.3:80\" ] }";

    // Now: the first backend works, the second does not, of the third nothing is known.
    [TestCase("web: { backends: [ \"10.0.0.1:80\", \"10.0.0.9:80\" ] }", ExpectedResult = "",
        TestName = "somebody who works stays")]
    [TestCase("web: { backends: [ \"10.0.0.8:80\", \"10.0.0.9:80\" ] }", ExpectedResult = "web/10.0.0.8 web/10.0.0.9",
        TestName = "all are replaced")]
    [TestCase("web: { backends: [ \"10.0.0.2:80\", \"10.0.0.9:80\" ] }", ExpectedResult = "web/10.0.0.9",
        TestName = "who stays does not work")]
    [TestCase("web: { backends: [ \"10.0.0.2:80\", \"10.0.0.3:80\" ] }", ExpectedResult = "web/10.0.0.3",
        TestName = "of who stays nothing is known")]
    [TestCase("app: { backends: [ \"10.0.0.1:80\" ] }", ExpectedResult = "app/10.0.0.1",
        TestName = "the cluster has another name")]
    [TestCase("web: { health: off, backends: [ \"10.0.0.9:80\" ] }", ExpectedResult = "",
        TestName = "nobody is probed")]
    [TestCase("web: { backends: [ \"10.0.0.9:80\", { address: \"10.0.0.8:80\", health: off } ] }", ExpectedResult = "",
        TestName = "somebody is not probed")]
    [TestCase("web: { backends: [ { address: \"10.0.0.1:80\", drain: true }, \"10.0.0.9:80\" ] }",
        ExpectedResult = "web/10.0.0.9", TestName = "who works is drained")]
    [TestCase("web: { backends: [ { address: \"10.0.0.1:80\", weight: 0 }, { address: \"10.0.0.9:80\", weight: 0 } ] }",
        ExpectedResult = "", TestName = "who gets nothing is not asked")]
    [TestCase("web: { pool: { size: 3 }, backends: [ \"10.0.0.1:80\" ] }", ExpectedResult = "",
        TestName = "other connections to the same backend")]
    public async Task<string> Who_would_be_alone_and_is_not_known_is_asked(string clusters)
    {
        await using var worlds = new Worlds();
        var current = worlds.Build(Read(Before));
        current.Clusters[0].Backends[0].Judge(Verdict.Healthy);
        current.Clusters[0].Backends[1].Judge(Verdict.Unhealthy);
        current = SnapshotBuilder.Refresh(current);

        return string.Join(' ', Strangers.In(current, Read(clusters)).Select(
            one => $"{one.Cluster}/{one.Backend.Address.Host}"));
    }

    private static ProxyOptions Read(string clusters) => ProxyOptions.Parse(
        $"listeners: [ {{ bind: \":8000\" }} ]\nclusters: {{ {clusters} }}", "test.yaml").Options!;
}
