using NUnit.Framework;
using PolyBalance.Tests.Host;
using YamlDotNet.RepresentationModel;

namespace PolyBalance.Tests.Deploy;

/// <summary>The compose file: nothing open that need not be, and what it mounts is there.</summary>
internal sealed class ComposeTests
{
    private static readonly YamlNode Compose = DeployFiles.Documents("compose.yaml")[0];

    private static IEnumerable<string> Services
        => ((YamlMappingNode)Compose.At("services")!).Children.Keys.Select(key => ((YamlScalarNode)key).Value!);

    [TestCaseSource(nameof(Services))]
    public void Every_service_is_hardened_and_says_whether_it_is_well(string name)
    {
        var service = Compose.At($"services/{name}")!;

        Assert.That(service.Text("read_only"), Is.EqualTo("true"));
        Assert.That(service.Texts("cap_drop"), Is.EqualTo((string[])["ALL"]));
        Assert.That(service.Texts("security_opt"), Does.Contain("no-new-privileges:true"));
        Assert.That(service.Texts("healthcheck/test").First(), Is.EqualTo("CMD"));
        Assert.That(service.Texts("ports"), Has.All.StartsWith("127.0.0.1:").Or.All.EqualTo("8000:8000"));
    }

    [TestCaseSource(nameof(Services))]
    public void What_is_mounted_exists(string name)
    {
        var sources = Compose.Texts($"services/{name}/volumes").Select(volume => volume!.Split(':')[0]).ToList();

        Assert.That(sources, Is.Not.Empty);
        foreach (var source in sources)
        {
            Assert.That(source.StartsWith("./", StringComparison.Ordinal)
                ? Path.Exists(DeployFiles.PathOf(source))
                : ((YamlMappingNode)Compose.At("volumes")!).Children.ContainsKey(source), source);
        }
    }

    [Test]
    public void Only_the_gateway_is_reached_from_elsewhere()
        => Assert.That(Services.Where(name => Compose.Texts($"services/{name}/ports").Contains("8000:8000")),
            Is.EqualTo((string[])["polybalance"]));

    [Test]
    public void The_grace_period_is_delay_and_drain_and_the_end()
    {
        var shutdown = DeployFiles.Documents("compose/polybalance.yaml")[0].At("shutdown")!;

        Assert.That(DeployFiles.Seconds(Compose.Text("services/polybalance/stop_grace_period")), Is.EqualTo(
            DeployFiles.Seconds(shutdown.Text("delay")) + DeployFiles.Seconds(shutdown.Text("drain")) + 5));
    }

    [Test]
    public async Task The_configuration_is_valid_and_names_the_services()
    {
        using var run = new CommandLineRun();
        Assert.That(await run.RunAsync("check", "--config", DeployFiles.PathOf("compose/polybalance.yaml")), Is.Zero);

        Assert.That(run.Errors, Is.Empty);
        Assert.That(
            DeployFiles.Documents("compose/polybalance.yaml")[0].List("clusters/web/backends")
                .Select(backend => backend.Text("address")!.Split(':')[0]),
            Is.SubsetOf(Services));
    }
}
