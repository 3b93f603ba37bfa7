using System.Security.Cryptography;
using NUnit.Framework;

namespace PolyBalance.Tests.Interop;

/// <summary>Bodies far larger than anything the gateway may hold.</summary>
[Platform("Linux", Reason = "signals and /proc")]
[TestFixtureSource(typeof(Transports), nameof(Transports.All))]
internal sealed class LargeBodyTests(string transport)
{
    private const long Mebi = 1024 * 1024;
    private const long MemoryMax = 100 * Mebi;

    private static readonly long Length = (Programs.IsLongRun ? 1024 : 64) * Mebi;

    private string _curl = "";
    private string _file = "";
    private string _sha256 = "";
    private NginxBackend _nginx = null!;
    private NodeBackend _node = null!;
    private Gateway _gateway = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _curl = Programs.Find("curl");
        _nginx = await NginxBackend.StartAsync("nginx");
        _node = await NodeBackend.StartAsync("node");
        _file = Path.Combine(_nginx.Files, "large");
        _sha256 = await MakeFileAsync(_file);
        _gateway = await Gateway.StartAsync(
            transport,
            $$"""
            clusters:
              files: {{Gateway.Cluster([_nginx.Address])}}
              app: {{Gateway.Cluster([_node.Address])}}
            routes:
              - { match: { path: /files/ }, cluster: files }
              - { match: { path: / }, cluster: app }
            """);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        foreach (var started in (IAsyncDisposable?[])[_gateway, _node, _nginx])
        {
            if (started is not null)
                await started.DisposeAsync();
        }
    }

    [TestCase("", TestName = "A large upload with a length arrives unchanged and is never held")]
    [TestCase("Transfer-Encoding: chunked", TestName = "A large upload in chunks arrives unchanged and is never held")]
    public async Task A_large_upload_arrives_unchanged_and_is_never_held(string field)
    {
        var result = await RunningProgram.RunAsync(
            _curl, "-sS", "-X", "POST", "-H", "Expect:", "-H", field, "-T", _file, _gateway.At("/echo"));

        Assert.That(result.ExitCode, Is.Zero, result.Everything);
        var echo = Echo.Parse(result.Output);
        Assert.That(echo.Length, Is.EqualTo(Length));
        Assert.That(echo.Sha256, Is.EqualTo(_sha256));
        AssertLittleMemory();
    }

    [Test]
    public async Task A_large_download_arrives_unchanged_and_is_never_held()
    {
        var received = Path.Combine(_nginx.Files, "received");
        var result = await RunningProgram.RunAsync(_curl, "-sS", "-o", received, _gateway.At("/files/large"));

        Assert.That(result.ExitCode, Is.Zero, result.Everything);
        await using (var file = File.OpenRead(received))
            Assert.That(Convert.ToHexStringLower(await SHA256.HashDataAsync(file)), Is.EqualTo(_sha256));

        File.Delete(received);
        AssertLittleMemory();
    }

    private void AssertLittleMemory()
    {
        _gateway.AssertHealthy();
        TestContext.Out.WriteLine($"resident memory at most {_gateway.MemoryPeak / Mebi} MiB");
        Assert.That(_gateway.MemoryPeak, Is.LessThan(MemoryMax));
    }

    private static async Task<string> MakeFileAsync(string path)
    {
        // Not repeating within any block, and cheap: random bytes whose first eight count the blocks.
        var block = RandomNumberGenerator.GetBytes((int)Mebi);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var file = File.Create(path);
        for (var index = 0L; index < Length / Mebi; index++)
        {
            BitConverter.TryWriteBytes(block, index);
            hash.AppendData(block);
            await file.WriteAsync(block);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
