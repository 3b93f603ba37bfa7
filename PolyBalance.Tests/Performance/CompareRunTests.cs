using System.Diagnostics;
using System.Reflection;
using System.Text.Json;
using NUnit.Framework;
using PolyBalance.Server;
using PolyBalance.Tests.Interop;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Performance;

/// <summary>The comparison itself, as a user runs it: real proxies, real load, real results.</summary>
[NonParallelizable]
[Platform("Linux", Reason = "reads /proc")]
internal sealed class CompareRunTests
{
    private string _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("polybalance-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task Nginx_haproxy_and_this_gateway_are_measured_side_by_side()
    {
        RequireOptimisedCode();
        _ = Programs.Find("nginx");
        _ = Programs.Find("wrk");
        _ = Programs.FindOptional("haproxy");

        var result = await CompareAsync(
            "--only", "49b-64", "--rounds", "1", "--seconds", "1", "--output", _folder,
            "--proxies", "nginx,haproxy,polybalance sockets");

        Assert.That(result.ExitCode, Is.Zero, result.Everything);
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(_folder, "results.json")));
        var rows = json.RootElement.GetProperty("rows").EnumerateArray().ToList();
        Assert.That(
            rows.Select(row => row.GetProperty("proxy").GetString()),
            Is.EqualTo(new[] { "nginx", "HAProxy", "PolyBalance sockets" }), result.Everything);
        foreach (var row in rows)
        {
            Assert.That(Median(row, "requestsPerSecond"), Is.InRange(100, 10_000_000), $"{row}");
            Assert.That(Median(row, "cpuMicrosPerRequest"), Is.InRange(0.5, 10_000), $"{row}");
            Assert.That(Median(row, "p99Micros"), Is.InRange(1, 10_000_000), $"{row}");
            Assert.That(Median(row, "memoryMib"), Is.InRange(1, 10_000), $"{row}");
            Assert.That(row.GetProperty("errors").EnumerateObject().Select(kind => kind.Value.GetInt64()), Is.All.Zero);
        }

        Assert.That(
            await File.ReadAllTextAsync(Path.Combine(_folder, "results.md")),
            Does.Contain("## 49b-64").And.Contain("PolyBalance sockets"));
        Assert.That(File.Exists(Path.Combine(_folder, "results.svg")));
        Assert.That(
            Directory.GetFiles(Path.Combine(_folder, "settings")).Select(Path.GetFileName),
            Is.SupersetOf(new[] { "nginx.conf", "haproxy.cfg", "polybalance-sockets.yaml" }));
    }

    [TestCase("--only", "49b-65", "unknown load `49b-65`; there are: 49b-1, 49b-64")]
    [TestCase("--proxies", "nginx,varnish", "unknown proxy `varnish`; there are: nginx, haproxy")]
    [TestCase("--rounds", "0", "--rounds 0: from 1 to 100")]
    public async Task What_does_not_exist_is_refused_with_what_does(string option, string value, string message)
    {
        var result = await CompareAsync(option, value, "--output", _folder);

        Assert.That(result.ExitCode, Is.EqualTo(2), result.Everything);
        Assert.That(result.Errors, Does.Contain(message));
        Assert.That(Directory.GetFileSystemEntries(_folder), Is.Empty);
    }

    private static double Median(JsonElement row, string figure)
        => row.GetProperty("figures").GetProperty(figure).GetProperty("spread").GetProperty("median").GetDouble();

    private static void RequireOptimisedCode()
    {
        if (typeof(ProxyServer).Assembly.GetCustomAttribute<DebuggableAttribute>() is { IsJITOptimizerDisabled: true })
            Assert.Ignore("a comparison measures optimised code only: dotnet test -c Release");
    }

    private static Task<ProgramResult> CompareAsync(params string[] arguments)
    {
        // …/bin/Release/net10.0/ of the tests, and the same of the benchmarks.
        var framework = new DirectoryInfo(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var executable = Repository.PathOf(
            "PolyBalance.Benchmarks", "bin", framework.Parent!.Name, framework.Name, "PolyBalance.Benchmarks.dll");
        Assert.That(executable, Does.Exist, "build the solution, not the tests alone");
        return RunningProgram.RunAsync("dotnet", [executable, "compare", .. arguments]);
    }
}
