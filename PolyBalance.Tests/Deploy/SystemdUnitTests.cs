using System.Globalization;
using System.Text.RegularExpressions;
using NUnit.Framework;
using PolyBalance.Tests.Interop;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Deploy;

/// <summary>The units that the package installs, as systemd reads them.</summary>
internal sealed partial class SystemdUnitTests
{
    private const double ExposureMax = 2.0;

    // systemd before 253 has only `notify`, which the line before this one asks for.
    private const string UnknownBefore253 = "Failed to parse service type, ignoring: notify-reload";

    private static string Units => Path.Combine(Repository.Root, "deploy", "systemd");

    [Test]
    public async Task Systemd_understands_every_line_of_the_units()
    {
        // Units name what the package installs: here something that exists stands in for it.
        var folder = Directory.CreateTempSubdirectory("polybalance-");
        foreach (var name in (string[])["polybalance.service", "polybalance.socket"])
        {
            var text = await File.ReadAllTextAsync(Path.Combine(Units, name));
            await File.WriteAllTextAsync(
                Path.Combine(folder.FullName, name),
                text.Replace("/usr/bin/polybalance", "/usr/bin/env", StringComparison.Ordinal)
                    .Replace("Documentation=man:polybalance(1)\n", "", StringComparison.Ordinal));
        }

        var result = await RunningProgram.RunAsync(
            Programs.Find("systemd-analyze"),
            "verify", $"{folder.FullName}/polybalance.service", $"{folder.FullName}/polybalance.socket");

        folder.Delete(recursive: true);
        var complaints = result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !line.Contains(UnknownBefore253, StringComparison.Ordinal));
        Assert.That(complaints, Is.Empty);
        Assert.That(result.ExitCode, Is.Zero);
    }

    [Test]
    public async Task The_service_is_exposed_to_hardly_anything()
    {
        var result = await RunningProgram.RunAsync(
            Programs.Find("systemd-analyze"),
            "security", "--offline=true", "--no-pager", Path.Combine(Units, "polybalance.service"));

        var level = Level().Match(result.Output);
        Assert.That(level.Success, Is.True, result.Everything);
        Assert.That(
            double.Parse(level.Groups[1].Value, CultureInfo.InvariantCulture), Is.LessThanOrEqualTo(ExposureMax));
    }

    [Test]
    public void The_socket_unit_listens_where_the_configuration_of_the_package_does()
    {
        var bind = Bind().Match(File.ReadAllText(Path.Combine(Repository.Root, "polybalance.yaml"))).Groups[1].Value;
        var unit = File.ReadAllText(Path.Combine(Units, "polybalance.socket"));

        Assert.That(bind, Does.StartWith(":"));
        Assert.That(unit, Does.Contain($"ListenStream={bind[1..]}\n"));
    }

    [GeneratedRegex(@"Overall exposure level for polybalance\.service: ([0-9.]+)")]
    private static partial Regex Level();

    [GeneratedRegex("listeners:\n  - bind: \"([^\"]+)\"")]
    private static partial Regex Bind();
}
