using NUnit.Framework;

namespace PolyBalance.Tests.Host;

internal sealed class CheckCommandTests
{
    private const string Valid =
        """
        listeners:
          - bind: ":8000"
        clusters:
          web:
            backends: [ "10.0.0.11:8080", "10.0.0.12:8080" ]
        """;

    private const string FiveMistakes =
        """
        listeners:
          - bind: ":80000"
        clusters:
          web:
            backends: [ "10.0.0.11:8080", "10.0.0.11:8080" ]
            pool: { sise: 10 }
            timeouts: { connect: 3 }
        shutdown: { drain: fast }
        """;

    [Test]
    public async Task A_valid_file_is_said_to_hold_what_it_holds()
    {
        using var run = new CommandLineRun();
        var code = await run.File("polybalance.yaml", Valid).RunAsync("check");

        Assert.That(code, Is.Zero);
        Assert.That(run.Output, Is.EqualTo("polybalance.yaml is valid: 1 listener, 1 cluster, 2 backends\n"));
        Assert.That(run.Errors, Is.Empty);
    }

    [TestCase("{ dns: \"a:80\" }, { dns: \"a:81\" }", "1 listener, 1 cluster, 1 name to resolve")]
    [TestCase("{ dns: \"a:80\" }, { srv: _a._b.c }, \"10.0.0.1:80\"",
        "1 listener, 1 cluster, 1 backend, 2 names to resolve")]
    public async Task Names_are_counted_as_what_they_are(string backends, string expected)
    {
        using var run = new CommandLineRun();
        var code = await run
            .File("polybalance.yaml",
                $"listeners: [ {{ bind: \":8000\" }} ]\nclusters: {{ web: {{ backends: [ {backends} ] }} }}\n")
            .RunAsync("check");

        Assert.That((code, run.Output), Is.EqualTo((0, $"polybalance.yaml is valid: {expected}\n")));
    }

    [TestCase("--config", "other.yaml")]
    [TestCase("-config=other.yaml")]
    public async Task A_file_may_be_named(params string[] config)
    {
        using var run = new CommandLineRun();
        var code = await run.File("other.yaml", Valid).RunAsync(["check", .. config]);

        Assert.That(code, Is.Zero);
        Assert.That(run.Output, Does.StartWith("other.yaml is valid"));
    }

    [Test]
    public async Task A_dash_reads_standard_input()
    {
        using var run = new CommandLineRun();
        var code = await run.Input("\uFEFF" + Valid).RunAsync("check", "--config", "-");

        Assert.That(code, Is.Zero);
        Assert.That(run.Output, Does.StartWith("stdin is valid: "));
    }

    [Test]
    public async Task Every_mistake_is_one_line_with_its_place_and_the_last_line_counts_them()
    {
        using var run = new CommandLineRun();
        var code = await run.File("polybalance.yaml", FiveMistakes).RunAsync("check");

        Assert.That(code, Is.EqualTo(1));
        Assert.That(run.Output, Is.Empty);
        Assert.That(run.Errors, Has.Length.EqualTo(6));
        Assert.That(run.Errors[..5], Has.All.Match(@"^polybalance\.yaml:\d+:\d+: .+; .+$"));
        Assert.That(run.Errors[5], Is.EqualTo("5 errors in polybalance.yaml"));
    }

    [Test]
    public async Task Run_refuses_a_wrong_file_as_check_does()
    {
        using var run = new CommandLineRun();
        var code = await run.File("polybalance.yaml", FiveMistakes).RunAsync("-port=0");

        Assert.That(code, Is.EqualTo(1));
        Assert.That(run.Errors[^1], Does.EndWith("errors in polybalance.yaml"));
    }

    [Test]
    public async Task Warnings_are_printed_and_the_file_stays_valid()
    {
        using var run = new CommandLineRun();
        var code = await run
            .File("polybalance.yaml", "listeners: [ { bind: \":8000\" } ]\nclusters: { web: { backends: [] } }\n")
            .RunAsync("check");

        Assert.That(code, Is.Zero);
        Assert.That(run.Errors, Has.Some.StartsWith("warning: polybalance.yaml:2:"));
        Assert.That(run.Output, Does.Contain("0 backends"));
    }

    [Test]
    public async Task Variables_count_and_are_named()
    {
        using var run = new CommandLineRun();
        run.File("polybalance.yaml", Valid).Variable("POLYBALANCE_BACKENDS", "b1:80,b2:80,b3:80");
        var code = await run.RunAsync("check");

        Assert.That(code, Is.Zero);
        Assert.That(run.Output, Is.EqualTo(
            "polybalance.yaml is valid: 1 listener, 1 cluster, 3 backends (with POLYBALANCE_BACKENDS)\n"));
    }

    [Test]
    public async Task With_backends_given_no_file_is_needed()
    {
        using var run = new CommandLineRun();
        var code = await run.Variable("POLYBALANCE_BACKENDS", "http://b1:8080").RunAsync("check");

        Assert.That(code, Is.Zero);
        Assert.That(run.Output, Does.StartWith("the command line is valid: 1 listener, 1 cluster, 1 backend"));
    }

    [TestCase("run")]
    [TestCase("check")]
    public async Task Without_a_file_and_without_backends_the_user_is_told_what_to_do(string command)
    {
        if (File.Exists("/etc/polybalance/polybalance.yaml"))
            Assert.Ignore("this machine has a configuration of its own");

        using var run = new CommandLineRun();
        var code = await run.RunAsync(command);

        Assert.That(code, Is.EqualTo(2));
        Assert.That(run.Errors, Has.Length.EqualTo(1));
        foreach (var advice in (string[])["--config FILE", "-backends=", "polybalance demo"])
            Assert.That(run.Errors[0], Does.Contain(advice));
    }

    [Test]
    public async Task A_named_file_that_cannot_be_read_is_an_error_of_the_configuration()
    {
        using var run = new CommandLineRun();

        Assert.That(await run.RunAsync("check", "--config", "missing.yaml"), Is.EqualTo(1));
        Assert.That(await run.RunAsync("check", "--config", run.Folder), Is.EqualTo(1));
        Assert.That(run.Errors[0], Is.EqualTo("polybalance: missing.yaml: cannot be read: it does not exist"));
        Assert.That(run.Errors[1], Does.EndWith("it is a folder, or access is denied"));
    }

    [Test]
    public async Task A_file_that_is_no_text_is_refused()
    {
        using var run = new CommandLineRun();
        await File.WriteAllBytesAsync(Path.Combine(run.Folder, "polybalance.yaml"), [0x61, 0x3A, 0xFF, 0xFE]);

        Assert.That(await run.RunAsync("check"), Is.EqualTo(1));
        Assert.That(run.Errors[0], Does.EndWith("polybalance.yaml: is not UTF-8 text; save it in that encoding"));
    }
}
