using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using PolyBalance.Server;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Interop;

/// <summary><c>polybalance top</c> as people use it: in a terminal.</summary>
[Platform("Linux", Reason = "pseudo-terminals")]
internal sealed class TopTests
{
    private const int SigUsr1 = 10;

    private SampleBackend _a = null!;
    private SampleBackend _b = null!;
    private LiveGateway _gateway = null!;

    [SetUp]
    public async Task Start()
    {
        _a = SampleBackend.Start(new() { Name = "a" }, NullLoggerFactory.Instance);
        _b = SampleBackend.Start(new() { Name = "b" }, NullLoggerFactory.Instance);
        _gateway = await LiveGateway.StartAsync($$"""
            listeners: [ { bind: "127.0.0.1:1" } ]
            admin: { bind: "127.0.0.1:9" }
            clusters:
              web:
                health: { path: /healthz, interval: 200ms, timeout: 200ms }
                backends: [ { address: "{{_a.Address}}", name: first }, { address: "{{_b.Address}}", name: second } ]
            """);
    }

    [TearDown]
    public async Task End()
    {
        await _gateway.DisposeAsync();
        await _a.DisposeAsync();
        await _b.DisposeAsync();
    }

    [Test]
    public async Task A_backend_that_dies_and_comes_back_is_seen()
    {
        // Wide enough for ten probes and the whole reason in one line.
        await using var terminal = Terminal(180, 40);
        var before = await terminal.OutputLineAsync("second");
        Assert.That(before, Does.Contain("ready").And.Contain("2 of 2 eligible").And.Contain("q ends"));
        Assert.That(before, Does.Match($@"first {_a.Address} +healthy +"));

        var port = _a.Port;
        await _a.DisposeAsync();
        var during = await terminal.OutputLineAsync("probes fail: connect refused");
        Assert.That(during, Does.Match($@"first {_a.Address} +unhealthy +").And.Contain("1 of 2 eligible"));

        _a = SampleBackend.Start(
            new() { Name = "a", Bind = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}") },
            NullLoggerFactory.Instance);
        var after = await terminal.OutputLineAsync("✗✓✓");
        Assert.That(after, Does.Match($@"first {_a.Address} +healthy +").And.Contain("2 of 2 eligible"));

        terminal.Signal(SigUsr1);
        Assert.That(
            (await terminal.EndAsync()).Output, Does.EndWith("ended 0, former screen True, cursor True: "));
        TestContext.Out.WriteLine(string.Join('\n', (string[])[before, during, after]).Replace(" | ", "\n"));
    }

    [Test]
    public async Task Ctrl_C_ends_it_and_leaves_the_terminal_as_it_was()
    {
        await using var terminal = Terminal(100, 30);
        var child = int.Parse((await terminal.OutputLineAsync("child "))[6..], CultureInfo.InvariantCulture);
        var picture = await terminal.OutputLineAsync("picture: ");
        Assert.That(picture.Split(" | "), Has.All.Length.LessThanOrEqualTo("picture: ".Length + 100));

        Assert.That((await RunningProgram.RunAsync("/bin/kill", "-INT", $"{child}")).ExitCode, Is.Zero);
        Assert.That((await terminal.EndAsync()).Output, Does.EndWith("ended 0, former screen True, cursor True: "));
    }

    [Test]
    public async Task A_screen_that_is_too_low_says_so()
    {
        await using var terminal = Terminal(80, 8);
        var picture = await terminal.OutputLineAsync("picture: ");
        Assert.That(picture.Split(" | "), Has.Length.EqualTo(8));
        Assert.That(picture, Does.EndWith("… (a higher terminal shows more)"));
    }

    [Test]
    public async Task Nobody_to_ask_is_an_error_and_no_picture()
    {
        await _gateway.Server.DrainAsync(TimeSpan.Zero);
        await using var terminal = RunningProgram.Start(
            Programs.Find("python3"),
            [NodeBackend.Script("terminal.py"), "100", "30", .. Top("127.0.0.1:1")]);

        var result = await terminal.EndAsync();
        Assert.That(
            result.Output, Does.Contain("ended 4, former screen True, cursor True: polybalance: no gateway can be"));
    }

    private RunningProgram Terminal(int columns, int lines) => RunningProgram.Start(
        Programs.Find("python3"),
        [NodeBackend.Script("terminal.py"), $"{columns}", $"{lines}", .. Top(_gateway.Server.AdminAddress!)]);

    private static string[] Top(string admin)
        => [.. Executable.Command, "top", "--admin", admin];
}
