using NUnit.Framework;
using PolyBalance.Tests.Interop;

namespace PolyBalance.Tests.Host;

/// <summary>
/// The executable on a system that lets nobody have a ring: strace answers in the kernel's place, as an old kernel, a
/// container or a sandbox would.
/// </summary>
[Platform("Linux", Reason = "faked by strace")]
internal sealed class TransportFallbackTests
{
    private readonly List<RunningProgram> _started = [];
    private string _folder = "";

    [SetUp]
    public void Start() => _folder = Directory.CreateTempSubdirectory("polybalance-").FullName;

    [TearDown]
    public async Task Stop()
    {
        foreach (var program in _started)
            await program.DisposeAsync();
        _started.Clear();
        Directory.Delete(_folder, recursive: true);
    }

    [TestCase("EPERM", @"(a security policy forbids it, .*|it is switched off by the sysctl .*)")]
    [TestCase("ENOSYS", "the kernel has no io_uring, or a sandbox hides it")]
    [TestCase("EINVAL", @"Linux 6\.1 or newer is needed; this is [0-9.]+")]
    public async Task Auto_takes_sockets_says_why_once_and_serves(string error, string why)
    {
        using var backend = new RawBackend(async (stream, _) =>
        {
            if (await RawBackend.ReadHeadAsync(stream) is not null)
                await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"u8.ToArray());
        });
        var run = await RunAsync(error, "run", "--config", ConfigFile("auto", backend.Address), "-port=0");
        var line = await run.ErrorLineAsync("Listening for traffic");
        await run.ErrorLineAsync("Ready; transport sockets");
        var port = line[(line.LastIndexOf(" on ", StringComparison.Ordinal) + 4)..].Split(' ')[0].Split(':')[^1];

        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        Assert.That(await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/")), Is.EqualTo("hello"));

        var told = run.Errors.Where(printed => printed.Contains("[1006]", StringComparison.Ordinal)).ToArray();
        Assert.That(told, Has.Length.EqualTo(1));
        Assert.That(told[0], Does.Match($@"info: polybalance\[1006\] The transport is sockets, not io_uring: {why}$"));
        Assert.That(run.Errors.Count(printed => printed.Contains("io_uring", StringComparison.Ordinal)), Is.EqualTo(1));
    }

    [Test]
    public async Task Sockets_that_were_asked_for_need_no_explanation()
    {
        var run = await RunAsync("EPERM", "run", "--config", ConfigFile("sockets", "127.0.0.1:9"), "-port=0");
        await run.ErrorLineAsync("Ready; transport sockets");

        Assert.That(string.Join('\n', run.Errors), Does.Not.Contain("io_uring"));
    }

    [Test]
    public async Task A_ring_that_was_asked_for_and_is_not_to_be_had_ends_the_run_before_it_begins()
    {
        var run = await RunAsync("ENOSYS", "run", "--config", ConfigFile("io_uring", "127.0.0.1:9"), "-port=0");
        var ended = await run.EndAsync();

        Assert.That(ended.ExitCode, Is.EqualTo(1), ended.Everything);
        Assert.That(ended.Errors.Split('\n')[^1], Is.EqualTo(
            "polybalance: Cannot use the transport io_uring: the kernel has no io_uring, or a sandbox hides it. "
            + "Allow it, or write `transport: auto`."));
        Assert.That(ended.Errors, Does.Not.Contain("Listening"));
    }

    [Test]
    public async Task The_version_says_what_auto_would_choose_and_why()
    {
        var ended = await (await RunAsync("ENOSYS", "version")).EndAsync();

        Assert.That(ended.ExitCode, Is.Zero, ended.Everything);
        Assert.That(ended.Output, Does.EndWith(
            "; transport sockets, not io_uring: the kernel has no io_uring, or a sandbox hides it)"));
    }

    private async Task<RunningProgram> RunAsync(string error, params string[] arguments)
    {
        var run = await Strace.StartAsync(
            ["-o", "/dev/null", "-e", "trace=io_uring_setup", "-e", $"inject=io_uring_setup:error={error}"], arguments);
        _started.Add(run);
        return run;
    }

    private string ConfigFile(string transport, string backend)
    {
        var file = Path.Combine(_folder, "polybalance.yaml");
        File.WriteAllText(
            file,
            $$"""
            listeners: [ { bind: "127.0.0.1:8000" } ]
            admin: off
            clusters: { web: { health: off, backends: [ "{{backend}}" ] } }
            logging: { access: off }
            transport: {{transport}}
            """);
        return file;
    }
}
