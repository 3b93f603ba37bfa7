using System.Security.Cryptography;
using NUnit.Framework;
using PolyBalance.Tests.Interop;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Deploy;

/// <summary>The Debian package, built by the script that the target <c>package</c> calls.</summary>
internal sealed class DebianPackageTests
{
    private static readonly string[] Files =
    [
        "./etc/polybalance/polybalance.yaml",
        "./usr/bin/polybalance",
        "./usr/lib/systemd/system/polybalance.service",
        "./usr/lib/systemd/system/polybalance.socket",
        "./usr/lib/sysusers.d/polybalance.conf",
        "./usr/share/bash-completion/completions/polybalance",
        "./usr/share/doc/polybalance/changelog.gz",
        "./usr/share/doc/polybalance/copyright",
        "./usr/share/fish/vendor_completions.d/polybalance.fish",
        "./usr/share/man/man1/polybalance.1.gz",
        "./usr/share/polybalance/polybalance.schema.json",
        "./usr/share/zsh/vendor-completions/_polybalance",
    ];

    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("polybalance-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task It_holds_the_executable_and_all_that_goes_with_it()
    {
        var package = await BuildAsync("once");

        var listing = await RunningProgram.RunAsync(Programs.Find("dpkg-deb"), "--contents", package);
        var lines = listing.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(
            lines.Where(line => line[0] == '-').Select(line => line.Split(' ')[^1]).Order(StringComparer.Ordinal),
            Is.EqualTo(Files));
        Assert.That(lines, Has.All.Contains(" root/root "), "nobody of the machine that built it owns a file");
        Assert.That(lines.Where(line => line[0] == '-' && line[8] == 'w'), Is.Empty, "nobody else may write");

        await RunAsync("dpkg-deb", "--extract", package, $"{_folder}/files");
        var check = await RunningProgram.RunAsync(
            Executable.Command[0],
            [.. Executable.Command[1..], "check", "--config", $"{_folder}/files/etc/polybalance/polybalance.yaml"]);
        Assert.That(check.ExitCode, Is.Zero, check.Everything);
        Assert.That(
            await File.ReadAllTextAsync($"{_folder}/files/usr/share/polybalance/polybalance.schema.json"),
            Is.EqualTo(await File.ReadAllTextAsync(
                Path.Combine(Repository.Root, "PolyBalance.Host", "surface", "polybalance.schema.json"))));
    }

    [Test]
    public async Task The_same_executable_makes_the_same_package()
    {
        var once = SHA256.HashData(await File.ReadAllBytesAsync(await BuildAsync("once")));
        var again = SHA256.HashData(await File.ReadAllBytesAsync(await BuildAsync("again")));

        Assert.That(again, Is.EqualTo(once));
    }

    [TestCase("postinst")]
    [TestCase("prerm")]
    [TestCase("postrm")]
    public async Task The_shell_understands_the_maintainer_scripts(string script)
        => await RunAsync("sh", "-n", Path.Combine(Repository.Root, "deploy", "debian", script));

    // Packs the published file; without one, a script in its place that starts what was built.
    private async Task<string> BuildAsync(string name)
    {
        Programs.Find("dpkg-deb");
        var executable = Executable.Published ?? $"{_folder}/polybalance";
        if (Executable.Published is null)
        {
            var command = string.Join(' ', Executable.Command);
            await File.WriteAllTextAsync(executable, $"#!/bin/sh\nexec {command} \"$@\"\n");
            await RunAsync("chmod", "755", executable);
        }

        var script = Path.Combine(Repository.Root, "deploy", "debian", "build.sh");
        return (await RunAsync("bash", script, executable, $"{_folder}/{name}")).TrimEnd();
    }

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        var result = await RunningProgram.RunAsync(Programs.Find(program), arguments);
        Assert.That(result.ExitCode, Is.Zero, result.Everything);
        return result.Output;
    }
}
