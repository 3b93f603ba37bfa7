using NUnit.Framework;
using PolyBalance.Host;
using PolyBalance.Tests.Interop;

namespace PolyBalance.Tests.Host;

/// <summary>The scripts that shells complete by, in the shells themselves, and the manual page.</summary>
internal sealed class CompletionTests
{
    [TestCase("polybalance dr", "drain")]
    [TestCase("polybalance ", "run check schema status top reload upgrade errors explain plan drain resume demo "
        + "backend completion manual version --help --version")]
    [TestCase("polybalance status --to", "--token-file")]
    [TestCase("polybalance run --strategy peak", "peak_ewma")]
    [TestCase("polybalance run --port 8", "")]
    [TestCase("polybalance completion z", "zsh")]
    [TestCase("polybalance check --config /etc/hostn", "/etc/hostname")]
    public async Task Bash_completes_commands_flags_and_values(string line, string expected)
    {
        // As readline does: words, the one that is being typed, and the function that was registered.
        var script = await ScriptAsync("bash") +
            $$"""

            COMP_WORDS=({{line.TrimEnd()}}{{(line.EndsWith(' ') ? " \"\"" : "")}})
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            compopt() { :; }
            _polybalance
            echo "${COMPREPLY[*]}"
            """;

        var result = await RunningProgram.RunAsync(Programs.Find("bash"), ["-eu", "-c", script]);

        Assert.That((result.ExitCode, result.Errors), Is.EqualTo((0, "")));
        Assert.That(result.Output.Trim().Split(' '), Is.EquivalentTo(expected.Split(' ')));
    }

    [TestCase("zsh", "-n")]
    [TestCase("fish", "--no-execute")]
    public async Task Other_shells_understand_their_script(string shell, string onlyParse)
    {
        var program = Programs.FindOptional(shell);
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, await ScriptAsync(shell));

        var result = await RunningProgram.RunAsync(program, [onlyParse, file]);

        File.Delete(file);
        Assert.That((result.ExitCode, result.Errors), Is.EqualTo((0, "")));
    }

    [TestCase("bash")]
    [TestCase("zsh")]
    [TestCase("fish")]
    public async Task Every_command_and_every_flag_is_in_the_script_and_on_the_manual_page(string shell)
    {
        var script = await ScriptAsync(shell);
        var page = (await CommandLineRun.OutputOfAsync("manual")).Replace("\\-", "-", StringComparison.Ordinal);

        foreach (var command in CommandLine.Build(Surroundings.OfProcess([])).Subcommands)
        {
            Assert.That(script, Does.Contain(command.Name));
            Assert.That(page, Does.Contain($".SS polybalance {command.Name}"));
            foreach (var option in command.Options.Where(one => one.Name.StartsWith("--", StringComparison.Ordinal)))
            {
                Assert.That(script, Does.Contain(shell == "fish" ? $" -l {option.Name[2..]}" : option.Name));
                Assert.That(page, Does.Contain($".B {option.Name}"));
            }
        }
    }

    [Test]
    public async Task Man_shows_the_manual_page_without_a_complaint()
    {
        var man = Programs.FindOptional("man");
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, await CommandLineRun.OutputOfAsync("manual"));

        var result = await RunningProgram.RunAsync("/usr/bin/env", ["MANWIDTH=80", man, "--warnings", "-l", file]);

        File.Delete(file);
        Assert.That((result.ExitCode, result.Errors), Is.EqualTo((0, "")));
        Assert.That(result.Output, Does.Contain("polybalance drain BACKEND").And.Contains("--health-interval TIME"));
    }

    private static Task<string> ScriptAsync(string shell) => CommandLineRun.OutputOfAsync("completion", shell);
}
