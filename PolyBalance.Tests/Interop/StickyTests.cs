using System.Text.RegularExpressions;
using NUnit.Framework;

namespace PolyBalance.Tests.Interop;

/// <summary>curl keeps the cookie in its jar, and nginx says who answered.</summary>
[Platform("Linux", Reason = "signals and /proc")]
[TestFixtureSource(typeof(Transports), nameof(Transports.All))]
internal sealed class StickyTests(string transport)
{
    [Test]
    public async Task A_jar_stays_on_one_backend_on_two_instances_and_moves_once_when_that_is_killed()
    {
        var curl = Programs.Find("curl");
        var folder = Directory.CreateTempSubdirectory("polybalance-").FullName;
        try
        {
            var keys = Path.Combine(folder, "sticky.keys");
            await File.WriteAllTextAsync(keys, "0123456789-0123456789-0123456789-01\n");
            await using var first = await NginxBackend.StartAsync("nginx-1");
            await using var second = await NginxBackend.StartAsync("nginx-2");
            string[] addresses = [first.Address, second.Address];
            var sticky = $"sticky: {{ key_file: \"{keys}\" }}";
            await using var one = await Gateway.StartAsync(transport, addresses, sticky);
            await using var other = await Gateway.StartAsync(transport, addresses, sticky);
            var jar = Path.Combine(folder, "jar");

            var begun = await AskAsync(curl, jar, one);
            Assert.That(begun.IsCookieSet, Is.True);
            for (var request = 0; request < 10; request++)
                Assert.That(await AskAsync(curl, jar, request % 2 == 0 ? other : one), Is.EqualTo((begun.Name, false)));
            Assert.That(
                await File.ReadAllTextAsync(jar), Does.Contain("#HttpOnly_127.0.0.1").And.Contain("X-LB-Backend"));

            await (begun.Name == "nginx-1" ? first : second).KillAsync();
            var moved = await AskAsync(curl, jar, one);
            Assert.That(moved.IsCookieSet && moved.Name != begun.Name, Is.True, $"{begun}, {moved}");
            for (var request = 0; request < 10; request++)
                Assert.That(await AskAsync(curl, jar, request % 2 == 0 ? other : one), Is.EqualTo((moved.Name, false)));
            one.AssertHealthy();
            other.AssertHealthy();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<(string Name, bool IsCookieSet)> AskAsync(string curl, string jar, Gateway gateway)
    {
        var result = await RunningProgram.RunAsync(
            curl, ["-sS", "-i", "--max-time", "55", "-c", jar, "-b", jar, gateway.At("/")]);
        Assert.That(result.Output, Does.StartWith("HTTP/1.1 200 OK"), result.Everything);
        var name = Regex.Match(result.Output, "^X-Backend: (.+?)\r?$", RegexOptions.Multiline).Groups[1].Value;
        return (name, result.Output.Contains("Set-Cookie: X-LB-Backend=", StringComparison.Ordinal));
    }
}
