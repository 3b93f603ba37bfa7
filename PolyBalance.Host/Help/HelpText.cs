using System.CommandLine;
using System.CommandLine.Invocation;

namespace PolyBalance.Host.Help;

/// <summary>Prints what a command does, its flags, and lines that can be copied.</summary>
internal sealed class HelpText : SynchronousCommandLineAction
{
    private static readonly Dictionary<string, string[]> Examples = new(StringComparer.Ordinal)
    {
        ["polybalance"] =
        [
            "polybalance demo                               # see it work, without any configuration",
            "polybalance check --config polybalance.yaml    # find every mistake in a configuration",
            "polybalance                                    # run with ./polybalance.yaml",
            "polybalance -port=8000 -backends=http://10.0.0.11:8080,http://10.0.0.12:8080",
        ],
        ["run"] =
        [
            "polybalance run",
            "polybalance run --config /etc/polybalance/polybalance.yaml",
            "polybalance run -port=8000 -backends=\"http://b1:8080,http://b2:8081\" -backend-timeout=30",
            "envsubst < template.yaml | polybalance run --config -",
        ],
        ["check"] =
        [
            "polybalance check",
            "polybalance check --config new.yaml && systemctl restart polybalance",
        ],
        ["schema"] =
        [
            "polybalance schema > polybalance.schema.json   # beside polybalance.yaml, whose first line is then",
            "                                               # yaml-language-server: $schema=polybalance.schema.json",
        ],
        ["status"] = ["polybalance status", "polybalance status --admin 10.0.0.5:8081 --token-file token --json"],
        ["top"] = ["polybalance top", "polybalance top --once"],
        ["explain"] =
        [
            "polybalance explain https://shop.example/cart",
            "polybalance explain \"POST /orders\" -H \"Host: shop.example\" -H \"Cookie: X-LB-Backend=…\"",
        ],
        ["errors"] = ["polybalance errors", "polybalance errors --json | jq '.exchanges[] | select(.status == 504)'"],
        ["reload"] = ["polybalance reload", "polybalance plan && polybalance reload"],
        ["upgrade"] =
        [
            "polybalance upgrade   # once the new executable is in the place of the old one",
            "polybalance upgrade || journalctl -u polybalance -n 20",
        ],
        ["plan"] = ["polybalance plan", "polybalance plan new.yaml"],
        ["drain"] = ["polybalance drain web-2", "polybalance drain web-2 --timeout 10m && systemctl restart web-2"],
        ["resume"] = ["polybalance resume web-2"],
        ["demo"] = ["polybalance demo", "polybalance demo --once"],
        ["backend"] =
        [
            "polybalance backend --port 9001 --name b1",
            "polybalance backend --port 9002 --name b2 --delay 50ms --fail-rate 0.1 --keepalive 5s",
        ],
        ["completion"] =
        [
            "polybalance completion bash > /usr/share/bash-completion/completions/polybalance",
            "polybalance completion fish > ~/.config/fish/completions/polybalance.fish",
        ],
        ["manual"] = ["polybalance manual | man -l -"],
        ["version"] = ["polybalance version"],
    };

    /// <summary>Lines that can be copied.</summary>
    /// <param name="command">The command's name; <c>polybalance</c> without one.</param>
    public static IReadOnlyList<string> ExamplesOf(string command) => Examples[command];

    /// <inheritdoc/>
    public override bool ClearsParseErrors => true;

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        var output = parseResult.InvocationConfiguration.Output;
        var command = parseResult.CommandResult.Command;
        var isRoot = command is RootCommand;
        output.WriteLine(command.Description);
        output.WriteLine();
        var words = string.Concat(command.Arguments.Select(
            one => one.Arity.MinimumNumberOfValues == 0 ? $" [{one.Name}]" : $" {one.Name}"));
        output.WriteLine($"Usage: polybalance {(isRoot ? "[command]" : command.Name)}{words} [flags]");

        var commands = new List<(string, string?)>();
        foreach (var one in command.Subcommands)
            commands.Add((one.Name, one.Description));
        WriteColumns("Commands:", commands, output);

        var arguments = new List<(string, string?)>();
        foreach (var one in command.Arguments)
            arguments.Add((one.Name, one.Description));
        WriteColumns("Arguments:", arguments, output);

        var flags = new List<(string, string?)>();
        foreach (var one in command.Options)
            flags.Add((one.HelpName is null ? one.Name : $"{one.Name} {one.HelpName}", one.Description));
        if (!isRoot)
            flags.Add(("--help", "Show this"));
        WriteColumns("Flags, with two dashes or one:", flags, output);

        output.WriteLine();
        output.WriteLine("Examples:");
        foreach (var example in Examples[isRoot ? "polybalance" : command.Name])
            output.WriteLine($"  {example}");
        if (isRoot)
        {
            output.WriteLine();
            output.WriteLine("More about one command: polybalance run --help");
        }

        return ExitCode.Fine;
    }

    private static void WriteColumns(string title, List<(string Name, string? Meaning)> rows, TextWriter output)
    {
        if (rows.Count == 0)
            return;

        output.WriteLine();
        output.WriteLine(title);
        var width = 0;
        foreach (var (name, _) in rows)
            width = Math.Max(width, name.Length);
        foreach (var (name, meaning) in rows)
            output.WriteLine($"  {name.PadRight(width)}  {meaning}");
    }
}
