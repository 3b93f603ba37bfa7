using NUnit.Framework;
using PolyBalance.Tests.Host;

namespace PolyBalance.Tests.Deploy;

/// <summary>The configuration in the ConfigMap, read as the gateway reads it.</summary>
internal sealed class KubernetesConfigurationTests
{
    [Test]
    public async Task The_configuration_in_the_ConfigMap_is_valid()
    {
        using var run = new CommandLineRun();
        run.File("sticky.keys", "0123456789-0123456789-0123456789-01\n");
#pragma warning disable CA1416 // Only where there are file modes.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(Path.Combine(run.Folder, "sticky.keys"), UnixFileMode.UserRead);
#pragma warning restore CA1416
        var text = DeployFiles.Manifest("kubernetes/configmap.yaml", "ConfigMap").Text("data/polybalance.yaml")!;
        run.File("polybalance.yaml", text.Replace("/etc/polybalance-keys/", "", StringComparison.Ordinal));

        Assert.That(await run.RunAsync("check"), Is.Zero, string.Join('\n', run.Errors));
        Assert.That(run.Errors, Is.Empty);
    }
}
