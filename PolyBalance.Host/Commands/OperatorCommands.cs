using System.CommandLine;

namespace PolyBalance.Host.Commands;

/// <summary>The commands that talk to a running gateway: their words and flags.</summary>
internal static class OperatorCommands
{
    /// <summary>All of them.</summary>
    public static IEnumerable<Command> Build(Surroundings surroundings)
    {
        yield return Make("status", "Show what every backend of the running gateway does, and why", surroundings,
            (client, parsed, json) => StatusCommand.RunAsync(client, json, surroundings.Output));
        yield return Top(surroundings);
        yield return Make("reload", "Have the running gateway take up its configuration anew", surroundings,
            (client, parsed, json) => ReloadCommand.RunAsync(client, null, json, surroundings));
        yield return Make("upgrade",
            "Have the running gateway start its executable anew and hand over to it; nothing is dropped", surroundings,
            (client, parsed, json) => UpgradeCommand.RunAsync(client, json, surroundings));
        yield return Make("errors", "Show the latest exchanges that failed or were slow, and every attempt of them",
            surroundings, (client, parsed, json) => ErrorsCommand.RunAsync(client, json, surroundings));
        yield return Explain(surroundings);
        yield return Plan(surroundings);
        yield return Drain(surroundings);
        yield return Backend(
            new Command("resume", "Let a drained backend of the running gateway have new work again"), surroundings,
            (client, id, parsed, json) => DrainCommand.ResumeAsync(client, id, json, surroundings));
    }

    private static Command Top(Surroundings surroundings)
    {
        var once = new Option<bool>("--once", "-once") { Description = "Print one state and end, also on a terminal" };
        var command = Make(
            "top", "Show clusters, backends, rates, latencies and failures of the running gateway, every second",
            surroundings,
            (client, parsed, json) => TopCommand.RunAsync(client, parsed.GetValue(once), json, surroundings));
        command.Add(once);
        return command;
    }

    private static Command Explain(Surroundings surroundings)
    {
        var request = new Argument<string>("REQUEST")
        {
            Description = "What a client would ask for: a URL or path, or \"METHOD URL\"",
        };
        var lines = new Option<string[]>("--header", "-H", "-header")
        {
            Description = "A field of the request, such as \"Cookie: a=b\"; as often as needed",
            HelpName = "LINE",
        };
        var address = CommandLine.Flag("client-ip", "ADDRESS", "Whose request it would be (default: 127.0.0.1)");
        var command = Make(
            "explain", "Show where a request would go now, and why no other backend gets it", surroundings,
            (client, parsed, json) => ExplainCommand.RunAsync(
                client, parsed.GetValue(request)!, parsed.GetValue(lines) ?? [], parsed.GetValue(address), json,
                surroundings));
        command.Add(request);
        command.Add(lines);
        command.Add(address);
        return command;
    }

    private static Command Plan(Surroundings surroundings)
    {
        var file = new Argument<string?>("FILE")
        {
            Description = "The configuration to compare with; without it, what the gateway would read itself",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = Make("plan", "Show what a reload would change, and change nothing", surroundings,
            (client, parsed, json) => ReloadCommand.PlanAsync(client, parsed.GetValue(file), json, surroundings));
        command.Add(file);
        return command;
    }

    private static Command Drain(Surroundings surroundings)
    {
        var wait = new Option<bool>("--wait", "-wait") { Description = "Wait until it has finished what it has" };
        var timeout = CommandLine.Flag("timeout", "TIME", "Wait for so long at most, such as 30 (seconds) or 10m");
        return Backend(
            new Command("drain", "Give a backend of the running gateway no new work; it finishes what it has")
            {
                wait, timeout,
            },
            surroundings,
            (client, id, parsed, json) => DrainCommand.RunAsync(
                client, id, parsed.GetValue(wait) || parsed.GetValue(timeout) is not null, parsed.GetValue(timeout),
                json, surroundings));
    }

    private static Command Backend(
        Command command, Surroundings surroundings, Func<AdminClient, string, ParseResult, bool, Task<int>> runAsync)
    {
        var id = new Argument<string>("BACKEND") { Description = "Its id, as `polybalance status` shows it" };
        command.Add(id);
        return Complete(
            command, surroundings, (client, parsed, json) => runAsync(client, parsed.GetValue(id)!, parsed, json));
    }

    private static Command Make(
        string name, string description, Surroundings surroundings,
        Func<AdminClient, ParseResult, bool, Task<int>> runAsync)
        => Complete(new Command(name, description), surroundings, runAsync);

    private static Command Complete(
        Command command, Surroundings surroundings, Func<AdminClient, ParseResult, bool, Task<int>> runAsync)
    {
        var config = CommandLine.ConfigFlag();
        var admin = CommandLine.Flag(
            "admin", "ADDRESS", "The gateway's admin listener (default: admin.bind of the configuration)");
        var token = CommandLine.Flag(
            "token-file", "FILE", "The file with its token (default: admin.token_file of the configuration)");
        var json = new Option<bool>("--json", "-json") { Description = "Print the gateway's answer as it is" };
        command.Add(config);
        command.Add(admin);
        command.Add(token);
        command.Add(json);
        command.SetAction(async parsed =>
        {
            var flags = new OperatorFlags(parsed.GetValue(config), parsed.GetValue(admin), parsed.GetValue(token));
            using var client = AdminClient.Find(flags, surroundings, out var problem);
            if (client is null)
            {
                await surroundings.Error.WriteLineAsync($"polybalance: {problem}");
                return ExitCode.Usage;
            }

            try
            {
                return await runAsync(client, parsed, parsed.GetValue(json));
            }
            catch (UnreachableGatewayException failure)
            {
                await surroundings.Error.WriteLineAsync($"polybalance: {failure.Message}");
                return ExitCode.Unreachable;
            }
        });
        return command;
    }
}
