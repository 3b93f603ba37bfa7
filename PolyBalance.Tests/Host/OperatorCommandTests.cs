using NUnit.Framework;
using PolyBalance.Host;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Host;

/// <summary>The commands that talk to a running gateway: what they print, and how they end.</summary>
internal sealed class OperatorCommandTests
{
    private const string Two = """
        listeners: [ { bind: "127.0.0.1:1" } ]
        admin: { bind: "127.0.0.1:9" }
        clusters:
          web:
            health: off
            backends: [ { address: "127.0.0.1:2", name: a }, { address: "127.0.0.1:3", name: b } ]
        """;

    private LiveGateway _gateway = null!;
    private CommandLineRun _run = null!;

    [SetUp]
    public async Task Start()
    {
        _gateway = await LiveGateway.StartAsync(Two);
        _run = new();
    }

    [TearDown]
    public async Task End()
    {
        _run.Dispose();
        await _gateway.DisposeAsync();
    }

    [Test]
    public async Task Status_shows_each_backend_and_what_was_changed_at_run_time()
    {
        Assert.That(await AskAsync("resume", "b"), Is.Zero);
        Assert.That(await AskAsync("drain", "a"), Is.Zero);
        Assert.That(await AskAsync("status"), Is.Zero);

        Assert.That(_run.Output, Does.Contain("a drains: 0 in flight\n"));
        Assert.That(_run.Output, Does.Match(@"\nCLUSTER +BACKEND +ADDRESS +STATE +WEIGHT +IN FLIGHT .*WHY\n"));
        Assert.That(_run.Output, Does.Match(@"\nweb +a +127.0.0.1:2 +draining +1 +0 .* the operator drains it\n"));
        Assert.That(_run.Output, Does.Match(@"\nweb +b +127.0.0.1:3 +healthy +1 "));
        Assert.That(
            _run.Output, Does.Contain("generation 1, and 1 changed at run time:\n  backend web/a: drain true\n"));
        Assert.That(_run.Errors, Is.Empty);
    }

    [Test]
    public async Task Explain_says_who_gets_a_request_and_why_nobody_else()
    {
        Assert.That(await AskAsync("drain", "a"), Is.Zero);
        Assert.That(await AskAsync("explain", "HEAD https://shop.example/cart?x=1", "-H", "X-User: 7"), Is.Zero);

        Assert.That(_run.Output, Does.Contain("\nHEAD shop.example /cart?x=1\n"));
        Assert.That(_run.Output, Does.Contain("\n  route / -> web: taken\n  picked by round_robin\n"));
        Assert.That(_run.Output, Does.Contain("\nIt goes to b: it is the only one that is eligible.\n"));
        Assert.That(_run.Output, Does.Match(@"\n +a +127.0.0.1:2 +draining +0  the operator drains it\n"));
        Assert.That(_run.Output, Does.Match(@"\n-> +b +127.0.0.1:3 +healthy +0  its turn is next\n"));
        Assert.That(_run.Output, Does.Contain("\nRetries: up to 2 more attempts,"));
    }

    [Test]
    public async Task Explain_says_why_a_request_would_be_refused()
    {
        Assert.That(await AskAsync("explain", "/a b"), Is.Zero);
        Assert.That(_run.Output, Does.Contain("It is refused with 400 (malformed_request_line): "));

        Assert.That(await AskAsync("explain", "/", "-H", "nonsense"), Is.EqualTo(ExitCode.Refused));
        Assert.That(_run.Errors.Single(), Does.Contain("`nonsense` is no field line; write `Name: value`"));
    }

    [Test]
    public async Task Drain_waits_until_nothing_is_in_flight_or_its_time_is_over()
    {
        var backend = _gateway.Server.Store.Current.Backends().First();
        Assert.That(backend.TryBegin(isLastResort: true, out var admission));

        Assert.That(await AskAsync("drain", "a", "--timeout", "0.1"), Is.EqualTo(ExitCode.Refused));
        Assert.That(_run.Errors.Single(), Does.StartWith("polybalance: a has still 1 in flight after 0.1;"));
        var waiting = AskAsync("drain", "a", "--wait");
        await Eventually.HoldsAsync(
            () => _run.Output.Contains("a drains: 1 in flight\na drains: 1 in flight", StringComparison.Ordinal),
            () => "it has begun to wait");
        backend.Withdraw(admission);

        Assert.That(await waiting.InTime(), Is.Zero);
        Assert.That(_run.Output, Does.EndWith("a drains: 0 in flight\na is drained: nothing is in flight\n"));
    }

    [Test]
    public async Task Plan_and_reload_tell_what_differs_and_a_bad_file_is_told_whole()
    {
        _gateway.Text = Two.Replace("name: b }", "name: b, weight: 3 }, \"127.0.0.1:4\"", StringComparison.Ordinal);
        const string Difference =
            "added:\n  backend web/127.0.0.1:4\nchanged:\n  backend web/b: weight 1 → 3\n";
        Assert.That(await AskAsync("plan"), Is.Zero);
        Assert.That(await AskAsync("reload"), Is.Zero);
        Assert.That(await AskAsync("reload"), Is.Zero);
        Assert.That(_run.Output, Is.EqualTo(
            Difference + "planned, and nothing done; 5 unchanged, connections and all\n"
            + Difference + "reloaded: generation 2; 5 unchanged, connections and all\n"
            + "reloaded: generation 3; nothing differs\n"));

        _run.File("new.yaml", Two + "\nlimit: 1\n");
        _gateway.Text = "listeners: []";
        Assert.That(await AskAsync("plan", "new.yaml"), Is.EqualTo(ExitCode.Refused));
        Assert.That(await AskAsync("reload"), Is.EqualTo(ExitCode.Refused));
        Assert.That(_run.Errors[0], Does.StartWith("new.yaml:7:1: unknown key `limit`; did you mean `limits`?"));
        Assert.That(_run.Errors[1], Does.StartWith("live.yaml:1:"));
    }

    [Test]
    public async Task Errors_shows_what_failed_with_every_attempt()
    {
        Assert.That(await AskAsync("errors"), Is.Zero);
        Assert.That(_run.Output, Does.StartWith("none since the start"));
        await _gateway.GetAsync("/lost");

        // It is recorded once its last byte has left: a moment after the client has it.
        for (var look = 0; look < 1_000 && !_run.Output.Contains("/lost", StringComparison.Ordinal); look++)
            Assert.That(await AskAsync("errors"), Is.Zero);
        Assert.That(_run.Output, Does.Match(
            @"GET 127.0.0.1:\d+/lost 502 connect_refused [\d.]+ ms \w+\n    127.0.0.1:\d connect_refused [\d.]+ ms\n"));
    }

    [Test]
    public async Task A_backend_that_is_not_there_is_named()
    {
        Assert.That(await AskAsync("drain", "z"), Is.EqualTo(ExitCode.Refused));
        Assert.That(await AskAsync("resume", "z"), Is.EqualTo(ExitCode.Refused));
        Assert.That(_run.Errors, Has.Length.EqualTo(2).And.All.Contains("is called `z`"));
    }

    [Test]
    public async Task The_token_comes_from_its_file()
    {
        const string Token = "a-token-that-nobody-guesses";
        await using var gateway = await LiveGateway.StartAsync(
            Two.Replace("127.0.0.1:9\"", "127.0.0.1:9\", token_file: t", StringComparison.Ordinal), Token);
        _run.File("right", Token + "\n").File("wrong", "another-token-altogether");
        string[] place = ["status", "--admin", gateway.Server.AdminAddress!, "--token-file"];

        Assert.That(await _run.RunAsync([.. place, "right"]), Is.Zero);
        Assert.That(await _run.RunAsync([.. place, "wrong"]), Is.EqualTo(ExitCode.Refused));
        Assert.That(await _run.RunAsync([.. place, "missing"]), Is.EqualTo(ExitCode.Usage));
    }

    [Test]
    public async Task Where_the_gateway_is_comes_from_its_configuration()
    {
        var place = _gateway.Server.AdminAddress!;
        _run.File("polybalance.yaml", Two.Replace("127.0.0.1:9", place, StringComparison.Ordinal));
        Assert.That(await _run.RunAsync("status"), Is.Zero);

        _run.File("off.yaml", Two.Replace("{ bind: \"127.0.0.1:9\" }", "off", StringComparison.Ordinal));
        Assert.That(await _run.RunAsync("status", "--config", "off.yaml"), Is.EqualTo(ExitCode.Usage));
        _run.File("gone.yaml", Two);
        Assert.That(await _run.RunAsync("status", "--config", "gone.yaml"), Is.EqualTo(ExitCode.Unreachable));
        Assert.That(await _run.RunAsync("status", "--admin", "nonsense"), Is.EqualTo(ExitCode.Usage));
        Assert.That(_run.Errors[0], Does.Contain("`admin: off`"));
        Assert.That(_run.Errors[1], Does.StartWith("polybalance: no gateway can be asked at 127.0.0.1:9: "));
        Assert.That(_run.Errors[2], Does.StartWith("polybalance: --admin: "));
    }

    private Task<int> AskAsync(params string[] words)
        => _run.RunAsync([.. words, "--admin", _gateway.Server.AdminAddress!]);
}
