using System.CommandLine;
using System.CommandLine.Parsing;
using NUnit.Framework;
using PolyBalance.Host;
using PolyBalance.Host.Commands;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Host;

internal sealed class CommandLineTests
{
    [TestCase("run", "-port=8000")]
    [TestCase("run", "-port", "8000")]
    [TestCase("run", "-port:8000")]
    [TestCase("run", "--port=8000")]
    [TestCase("run", "--port", "8000")]
    [TestCase("run", "--port:8000")]
    [TestCase("-port=8000")]
    [TestCase("--port", "8000")]
    public void A_flag_may_have_one_dash_or_two_and_its_value_after_a_blank_or_a_sign(params string[] arguments)
    {
        var parsed = Parse(arguments);

        Assert.Multiple(() =>
        {
            Assert.That(parsed.Errors, Is.Empty);
            Assert.That(parsed.CommandResult.Command.Name, Is.EqualTo("run"));
            Assert.That(parsed.GetValue<string>("--port"), Is.EqualTo("8000"));
        });
    }

    [Test]
    public void Every_flag_of_run_is_understood_in_the_spelling_of_the_requirements()
    {
        var parsed = Parse(
            "-port=8000", "-backends=http://b1:8080,http://b2:8081", "-health-interval=10", "-health-timeout=2",
            "-backend-timeout=30", "-strategy=least_connections");

        Assert.Multiple(() =>
        {
            Assert.That(parsed.Errors, Is.Empty);
            Assert.That(parsed.GetValue<string>("--backends"), Is.EqualTo("http://b1:8080,http://b2:8081"));
            Assert.That(parsed.GetValue<string>("--health-interval"), Is.EqualTo("10"));
            Assert.That(parsed.GetValue<string>("--health-timeout"), Is.EqualTo("2"));
            Assert.That(parsed.GetValue<string>("--backend-timeout"), Is.EqualTo("30"));
            Assert.That(parsed.GetValue<string>("--strategy"), Is.EqualTo("least_connections"));
        });
    }

    [TestCase("--config", "-")]
    [TestCase("--config=-")]
    [TestCase("-config", "-")]
    [TestCase("-config=-")]
    public void A_dash_alone_is_a_value(params string[] arguments)
    {
        foreach (var command in (string[])["run", "check"])
        {
            var parsed = Parse([command, .. arguments]);
            Assert.That(parsed.Errors, Is.Empty, command);
            Assert.That(parsed.GetValue<string>("--config"), Is.EqualTo("-"), command);
        }
    }

    [TestCase("unknown command `chekc`; did you mean `check`?", "chekc")]
    [TestCase("unknown flag `-prot`; did you mean `-port`?", "-prot=1")]
    [TestCase("unknown flag `--prot`; did you mean `--port`?", "run", "--prot", "1")]
    [TestCase("unknown flag `--unheard-of`", "check", "--unheard-of")]
    [TestCase("unknown argument `extra`", "check", "extra")]
    [TestCase("Required argument missing for option: '-port'.", "run", "-port")]
    [TestCase("Option '-port' expects a single argument but 2 were provided.", "-port=1", "-port=2")]
    [TestCase("--port: `70000` is no port; write a number from 0 to 65535", "backend", "--port", "70000")]
    [TestCase("--bind: `here` is no IP address; write one such as 127.0.0.1 or 0.0.0.0", "backend", "-bind=here")]
    [TestCase("--delay: `5x` is no duration; write one such as 50ms or 2s", "backend", "--delay", "5x")]
    [TestCase("--fail-rate: `2` is no share; write a number from 0 to 1 such as 0.1", "backend", "-fail-rate=2")]
    [TestCase("--keepalive: `0` is no duration above 0; write one such as 5s", "backend", "--keepalive=0")]
    public async Task A_wrong_command_line_is_explained_and_ends_with_2(string line, params string[] arguments)
    {
        using var run = new CommandLineRun();
        var code = await run.RunAsync(arguments);

        Assert.Multiple(() =>
        {
            Assert.That(code, Is.EqualTo(2));
            Assert.That(run.Errors[0], Is.EqualTo($"polybalance: {line}"));
            Assert.That(run.Output, Is.Empty);
        });
    }

    [Test]
    public async Task Help_of_every_command_ends_with_examples_that_parse()
    {
        var commands = CommandLine.Build(Surroundings.OfProcess([])).Subcommands.Select(one => one.Name);
        foreach (var command in commands.Prepend(""))
        {
            using var run = new CommandLineRun();
            var code = await run.RunAsync(command.Length == 0 ? ["--help"] : [command, "-h"]);
            Assert.That(code, Is.Zero, command);

            var lines = run.Output.Split('\n');
            var examples = lines[(Array.IndexOf(lines, "Examples:") + 1)..];
            Assert.That(examples, Has.Some.StartsWith($"  polybalance {command}".TrimEnd()), command);
            foreach (var example in examples)
            {
                if (!example.StartsWith("  polybalance", StringComparison.Ordinal))
                    continue;

                var words = CommandLineParser.SplitCommandLine(example.Split('#', '>', '|', '&')[0]);
                Assert.That(Parse([.. words.Skip(1)]).Errors, Is.Empty, example);
            }
        }
    }

    [TestCase("version")]
    [TestCase("--version")]
    [TestCase("-version")]
    public async Task The_version_is_one_line(string argument)
    {
        using var run = new CommandLineRun();
        var code = await run.RunAsync(argument);

        Assert.That(code, Is.Zero);
        const string Transport = "transport (io_uring|sockets, not io_uring: .+)";
        Assert.That(run.Output, Does.Match(@"^polybalance \d+\.\d+\.\d+\S* \(\.NET 10\..*; " + Transport + @"\)\n$"));
    }

    [Test]
    public async Task The_schema_is_printed_as_it_is_in_the_repository()
    {
        using var run = new CommandLineRun();
        var code = await run.RunAsync("schema");

        Assert.That(code, Is.Zero);
        Assert.That(run.Output, Is.EqualTo(
            await File.ReadAllTextAsync(Repository.PathOf("PolyBalance.Host", "surface", "polybalance.schema.json"))));
    }

    [TestCase("50ms", 50)]
    [TestCase("2s", 2_000)]
    [TestCase("1.5s", 1_500)]
    [TestCase("3", 3_000)]
    [TestCase("2m", 120_000)]
    [TestCase("1h", 3_600_000)]
    [TestCase("0", 0)]
    public void A_duration_on_the_command_line_has_a_unit_or_is_in_seconds(string text, int milliseconds)
    {
        Assert.That(Durations.TryParse(text, out var duration), Is.True);
        Assert.That(duration, Is.EqualTo(TimeSpan.FromMilliseconds(milliseconds)));
    }

    [TestCase("")]
    [TestCase("s")]
    [TestCase("-1s")]
    [TestCase("1 s")]
    [TestCase("1d")]
    [TestCase("25h")]
    [TestCase("99999999999999999999999999999999")]
    public void Anything_else_is_no_duration(string text) => Assert.That(Durations.TryParse(text, out _), Is.False);

    [Test]
    public void The_options_of_a_backend_follow_from_its_flags()
    {
        var isInOrder = BackendCommand.TryUnderstand(
            new BackendFlags("9002", "::1", "b2", "50ms", "0.1", "5s"), out var options, out _);

        Assert.Multiple(() =>
        {
            Assert.That(isInOrder, Is.True);
            Assert.That(options.Name, Is.EqualTo("b2"));
            Assert.That(options.Bind, Is.EqualTo("[::1]:9002"));
            Assert.That(options.Delay, Is.EqualTo(TimeSpan.FromMilliseconds(50)));
            Assert.That(options.FailureRate, Is.EqualTo(0.1));
            Assert.That(options.KeepAlive, Is.EqualTo(TimeSpan.FromSeconds(5)));
        });
    }

    [Test]
    public void The_surface_names_every_command_and_every_exit_code()
    {
        var commands = Surface.DescribeCommandLine();
        Assert.That(commands, Does.Contain("polybalance backend: "));
        Assert.That(commands, Does.Contain("  --health-interval, -health-interval TIME: "));

        var codes = Surface.DescribeExitCodes().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(codes, Has.Length.EqualTo(6));
    }

    private static ParseResult Parse(params string[] arguments)
    {
        using var run = new CommandLineRun();
        return CommandLine.Parse(arguments, run.Surroundings);
    }
}
