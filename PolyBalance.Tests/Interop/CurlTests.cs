using System.Security.Cryptography;
using System.Text;
using NUnit.Framework;

namespace PolyBalance.Tests.Interop;

/// <summary>curl before the gateway; nginx serves files behind it and Node everything else.</summary>
[Platform("Linux", Reason = "signals and /proc")]
[TestFixtureSource(typeof(Transports), nameof(Transports.All))]
internal sealed class CurlTests(string transport)
{
    private string _curl = "";
    private string _folder = "";
    private NginxBackend _nginx = null!;
    private NodeBackend _node = null!;
    private Gateway _gateway = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _curl = Programs.Find("curl");
        _folder = Directory.CreateTempSubdirectory("polybalance-").FullName;
        _nginx = await NginxBackend.StartAsync("nginx");
        _node = await NodeBackend.StartAsync("node");
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

        if (_folder.Length > 0)
            Directory.Delete(_folder, recursive: true);
    }

    [TearDown]
    public void The_log_stays_quiet() => _gateway.AssertHealthy();

    [Test]
    public async Task A_GET_arrives_with_its_target_and_fields_as_they_were()
    {
        const string Target = "/echo//a/%2e%2e/b?x=1&y=%20+&z=a|b";
        var result = await CurlAsync("-i", "--path-as-is", "-H", "X-Custom: a, b", _gateway.At(Target));

        Assert.That(result.Output, Does.StartWith("HTTP/1.1 200 OK"));
        var echo = Echo.Parse(result.Output);
        Assert.That(echo.Method, Is.EqualTo("GET"));
        Assert.That(echo.Target, Is.EqualTo(Target));
        Assert.That(echo.Fields["host"], Is.EqualTo($"{_gateway.Address}"));
        Assert.That(echo.Fields["x-custom"], Is.EqualTo("a, b"));
        Assert.That(echo.Fields["x-forwarded-for"], Is.EqualTo("127.0.0.1"));
        Assert.That(echo.Fields["x-forwarded-proto"], Is.EqualTo("http"));
        Assert.That(echo.Fields["via"], Does.StartWith("1.1 "));
        Assert.That(result.Output, Does.Contain($"X-Request-Id: {echo.Fields["x-request-id"]}").IgnoreCase);
    }

    [Test]
    public async Task A_POST_with_a_length_arrives_whole()
    {
        var (file, sha256) = await FileAsync(300_000);
        var echo = Echo.Parse((await CurlAsync("--data-binary", $"@{file}", _gateway.At("/echo"))).Output);

        Assert.That(echo.Method, Is.EqualTo("POST"));
        Assert.That(echo.Fields["content-length"], Is.EqualTo("300000"));
        Assert.That(echo.Sha256, Is.EqualTo(sha256));
    }

    [Test]
    public async Task A_POST_in_chunks_arrives_in_chunks_and_whole()
    {
        var (file, sha256) = await FileAsync(300_000);
        var result = await CurlAsync(
            "-H", "Transfer-Encoding: chunked", "--data-binary", $"@{file}", _gateway.At("/echo"));

        var echo = Echo.Parse(result.Output);
        Assert.That(echo.Fields, Does.ContainKey("transfer-encoding").WithValue("chunked"));
        Assert.That(echo.Fields, Does.Not.ContainKey("content-length"));
        Assert.That(echo.Length, Is.EqualTo(300_000));
        Assert.That(echo.Sha256, Is.EqualTo(sha256));
    }

    [Test]
    public async Task A_body_from_a_pipe_comes_back_while_it_is_sent()
    {
        var (file, sha256) = await FileAsync(5_000_000);
        var back = Path.Combine(_folder, "back");
        var result = await RunningProgram.RunAsync(
            _curl, ["-sS", "-T", "-", "-o", back, _gateway.At("/mirror")], inputFile: file);

        Assert.That(result.ExitCode, Is.Zero, result.Everything);
        Assert.That(Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(back))), Is.EqualTo(sha256));
    }

    [Test]
    public async Task A_HEAD_says_the_length_has_no_body_and_keeps_the_connection()
    {
        var result = await CurlAsync(
            "-I", "-w", "size %{size_download} connects %{num_connects}\n", _gateway.At("/echo"), _gateway.At("/echo"));

        var lines = result.Output.Split('\n', StringSplitOptions.TrimEntries);
        Assert.That(lines.Count(line => line == "HTTP/1.1 200 OK"), Is.EqualTo(2));
        Assert.That(lines.Count(line => line.StartsWith("content-length: ", StringComparison.OrdinalIgnoreCase)),
            Is.EqualTo(2));
        Assert.That(lines.Where(line => line.StartsWith("size ", StringComparison.Ordinal)),
            Is.EqualTo((string[])["size 0 connects 1", "size 0 connects 0"]));
    }

    [Test]
    public async Task PUT_and_DELETE_change_a_file_at_nginx()
    {
        var (file, _) = await FileAsync(10_000);
        var target = _gateway.At("/files/put");

        Assert.That((await StatusAsync("-T", file, target)), Is.EqualTo(201));
        Assert.That(await File.ReadAllBytesAsync(Path.Combine(_nginx.Files, "put")),
            Is.EqualTo(await File.ReadAllBytesAsync(file)));
        Assert.That((await StatusAsync("-X", "DELETE", target)), Is.EqualTo(204));
        Assert.That((await StatusAsync(target)), Is.EqualTo(404));
    }

    [Test]
    public async Task An_HTTP_1_0_client_gets_no_chunks()
    {
        var modern = await CurlAsync("-i", _gateway.At("/chunked"));
        var old = await CurlAsync("-i", "--http1.0", _gateway.At("/chunked"));

        Assert.That(modern.Output, Does.Contain("transfer-encoding: chunked").IgnoreCase);
        Assert.That(old.Output, Does.Not.Contain("transfer-encoding").IgnoreCase);
        Assert.That(Content(old), Is.EqualTo(Content(modern)).And.Contain("comes from node"));
    }

    [Test]
    public async Task A_client_that_waits_for_100_gets_it_from_the_backend()
    {
        var (file, sha256) = await FileAsync(100_000);
        var result = await CurlAsync(
            "-i", "-H", "Expect: 100-continue", "--expect100-timeout", "60", "--data-binary", $"@{file}",
            _gateway.At("/echo"));

        Assert.That(result.Output, Does.StartWith("HTTP/1.1 100 Continue"));
        Assert.That(Echo.Parse(result.Output).Sha256, Is.EqualTo(sha256));
    }

    [Test]
    public async Task A_client_that_waits_for_100_and_is_refused_sends_no_body()
    {
        var (file, _) = await FileAsync(100_000);
        var result = await CurlAsync(
            "-o", "/dev/null", "-w", "%{http_code} %{size_upload}", "-H", "Expect: 100-continue",
            "--expect100-timeout", "60", "--data-binary", $"@{file}", _gateway.At("/refuse"));

        Assert.That(result.Output, Is.EqualTo("401 0"));
    }

    [Test]
    public async Task An_early_hint_comes_before_the_response()
    {
        var result = await CurlAsync("-i", _gateway.At("/early-hints"));

        Assert.That(result.Output, Does.StartWith("HTTP/1.1 103 Early Hints"));
        Assert.That(result.Output, Does.Contain("link: </style.css>; rel=preload; as=style").IgnoreCase);
        Assert.That(result.Output.IndexOf("HTTP/1.1 200 OK", StringComparison.Ordinal), Is.Positive);
        Assert.That(result.Output, Does.EndWith("hinted"));
    }

    [Test]
    public async Task A_trailer_field_comes_after_the_content()
    {
        var fields = Path.Combine(_folder, "fields");
        var result = await CurlAsync("-D", fields, "-H", "TE: trailers", _gateway.At("/trailer"));

        var sum = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(result.Output)));
        Assert.That(await File.ReadAllTextAsync(fields), Does.Contain($"x-checksum: {sum}").IgnoreCase);
    }

    [Test]
    public async Task A_client_that_gives_up_ends_the_exchange_at_the_backend()
    {
        var result = await RunningProgram.RunAsync(_curl, "-sS", "--max-time", "0.5", _gateway.At("/hold"));

        Assert.That(result.ExitCode, Is.EqualTo(28), "curl's code for a timeout");
        Assert.That(await _node.AbortsAsync(1), Is.EqualTo("yes"));
    }

    [Test]
    public async Task Compressed_content_passes_as_it_is()
    {
        var text = string.Concat(Enumerable.Repeat("the same words again and again\n", 1000));
        await File.WriteAllTextAsync(Path.Combine(_nginx.Files, "text"), text);
        var plain = await CurlAsync("-i", _gateway.At("/files/text"));
        var compressed = await CurlAsync(
            "-i", "--compressed", "-w", "size %{size_download}", _gateway.At("/files/text"));

        Assert.That(plain.Output, Does.Not.Contain("content-encoding").IgnoreCase);
        Assert.That(compressed.Output, Does.Contain("content-encoding: gzip").IgnoreCase);
        var received = int.Parse(compressed.Output[(compressed.Output.LastIndexOf(' ') + 1)..]);
        Assert.That(received, Is.LessThan(text.Length / 10));
        Assert.That(Content(compressed), Does.StartWith(Content(plain)));
    }

    private static string Content(ProgramResult result)
        => result.Output[result.Output.IndexOf("\n\n", StringComparison.Ordinal)..];

    private async Task<ProgramResult> CurlAsync(params string[] arguments)
    {
        var result = await RunningProgram.RunAsync(_curl, ["-sS", "--max-time", "55", .. arguments]);
        Assert.That(result.ExitCode, Is.Zero, result.Everything);
        return result;
    }

    private async Task<int> StatusAsync(params string[] arguments)
        => int.Parse((await CurlAsync(["-o", "/dev/null", "-w", "%{http_code}", .. arguments])).Output);

    private async Task<(string Path, string Sha256)> FileAsync(int length)
    {
        var bytes = RandomNumberGenerator.GetBytes(length);
        var path = Path.Combine(_folder, $"{length}");
        await File.WriteAllBytesAsync(path, bytes);
        return (path, Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }
}
