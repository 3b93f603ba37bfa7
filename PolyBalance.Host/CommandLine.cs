using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using PolyBalance.Configuration;
using PolyBalance.Host.Commands;
using PolyBalance.Host.Configuration;
using PolyBalance.Host.Demo;
using PolyBalance.Host.Help;
using PolyBalance.Server;

namespace PolyBalance.Host;

/// <summary>The command line: which words and flags there are, and which command they lead to.</summary>
/// <remarks>Every flag may be written with one dash or two, and its value after a space, <c>=</c> or
/// <c>:</c>.</remarks>
internal static class CommandLine
{
    private static readonly ParserConfiguration Parsing = new()
    {
        EnablePosixBundling = false,
        ResponseFileTokenReplacer = null,
    };

    /// <summary>Parses the arguments and runs the command they name.</summary>
    /// <param name="arguments">Without the name of the executable.</param>
    /// <param name="surroundings">What the command may use.</param>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] arguments, Surroundings surroundings)
    {
        var parsed = Parse(arguments, surroundings);
        if (parsed.Errors.Count > 0 && parsed.Action is not HelpText)
        {
            SayWhatIsWrong(parsed, surroundings.Error);
            return ExitCode.Usage;
        }

        return await parsed.InvokeAsync(new InvocationConfiguration
        {
            Output = surroundings.Output,
            Error = surroundings.Error,
            EnableDefaultExceptionHandler = false,

            // Signals are the commands' own business.
            ProcessTerminationTimeout = null,
        });
    }

    /// <summary>Finds out which command is meant, and with which flags.</summary>
    /// <param name="arguments">Without the name of the executable.</param>
    /// <param name="surroundings">What the command may use.</param>
    internal static ParseResult Parse(string[] arguments, Surroundings surroundings)
        => Build(surroundings).Parse(WithCommand(arguments), Parsing);

    /// <summary>The whole command tree.</summary>
    /// <param name="surroundings">What the commands may use.</param>
    public static RootCommand Build(Surroundings surroundings)
    {
        var root = new RootCommand("PolyBalance: an HTTP/1.1 gateway that balances load. Without a command it runs.")
        {
            HelpName = "polybalance",
        };
        root.Directives.Clear();
        root.Options.Clear();
        root.Add(new HelpOption("--help", "-help", "-h", "-?")
        {
            Description = "Show help and examples",
            Action = new HelpText(),
            Recursive = true,
        });
        root.Add(new VersionOption("--version", "-version")
        {
            Description = "Show the version",
            Action = new PrintVersion(),
        });
        root.Add(Run(surroundings));
        root.Add(Check(surroundings));
        root.Add(Schema(surroundings));
        foreach (var command in OperatorCommands.Build(surroundings))
            root.Add(command);
        root.Add(Demo(surroundings));
        root.Add(Backend(surroundings));
        root.Add(Completion(surroundings, root));
        root.Add(Manual(surroundings, root));
        root.Add(Version());
        return root;
    }

    // `polybalance` and `polybalance -port=8000` mean `polybalance run …`.
    private static string[] WithCommand(string[] arguments)
    {
        var isRun = arguments.Length == 0
            || (arguments[0].StartsWith('-')
                && arguments[0] is not ("--help" or "-help" or "-h" or "-?" or "--version" or "-version"));
        return isRun ? ["run", .. arguments] : arguments;
    }

    private static void SayWhatIsWrong(ParseResult parsed, TextWriter error)
    {
        var command = parsed.CommandResult.Command;

        // What follows an unknown flag is probably its value.
        var hasUnknownFlag = false;
        foreach (var token in parsed.UnmatchedTokens)
            hasUnknownFlag |= token.StartsWith('-');
        foreach (var token in parsed.UnmatchedTokens)
        {
            if (!hasUnknownFlag || token.StartsWith('-'))
                error.WriteLine($"polybalance: {Unknown(token, command)}");
        }

        if (parsed.UnmatchedTokens.Count == 0)
        {
            foreach (var one in parsed.Errors)
                error.WriteLine($"polybalance: {one.Message}");
        }

        error.WriteLine($"Try: polybalance {(command is RootCommand ? "" : command.Name + " ")}--help");
    }

    private static string Unknown(string token, Command command)
    {
        var word = token.Split('=', ':')[0];
        var known = new List<string>();
        if (word.StartsWith('-'))
        {
            foreach (var option in command.Options)
                known.AddRange([option.Name, .. option.Aliases]);
        }
        else
        {
            foreach (var one in command.Subcommands)
                known.Add(one.Name);
        }

        var kind = word.StartsWith('-') ? "flag" : command is RootCommand ? "command" : "argument";
        return Spelling.Nearest(word, known) is { } nearest
            ? $"unknown {kind} `{word}`; did you mean `{nearest}`?"
            : $"unknown {kind} `{word}`";
    }

    private static Command Run(Surroundings surroundings)
    {
        var config = ConfigFlag();
        var port = Flag("port", "PORT", "Listen on this port of every address, instead of the file's listeners");
        var backends = Flag("backends", "LIST", "Backends, with commas between them, instead of the only cluster's");
        var interval = Flag("health-interval", "TIME", "Time between two probes, such as 10 (seconds) or 500ms");
        var timeout = Flag("health-timeout", "TIME", "How long a probe may take");
        var response = Flag("backend-timeout", "TIME", "How long a backend may take to begin its response");
        var strategy = Flag("strategy", "NAME", "Balancing algorithm of every cluster");
        var command = new Command("run", "Run the gateway until SIGTERM or SIGINT; the default command")
        {
            config, port, backends, interval, timeout, response, strategy,
        };
        command.SetAction(parsed => RunCommand.RunAsync(
            parsed.GetValue(config),
            new ConfigOverrides
            {
                Port = Override(parsed, port),
                Backends = Override(parsed, backends),
                HealthInterval = Override(parsed, interval),
                HealthTimeout = Override(parsed, timeout),
                BackendTimeout = Override(parsed, response),
                Strategy = Override(parsed, strategy),
            },
            surroundings));
        return command;
    }

    private static Command Check(Surroundings surroundings)
    {
        var config = ConfigFlag();
        var command = new Command("check", "Read a configuration and print every error in it") { config };
        command.SetAction(parsed => CheckCommand.Run(parsed.GetValue(config), surroundings));
        return command;
    }

    private static Command Schema(Surroundings surroundings)
    {
        var command = new Command("schema", "Print the JSON Schema of the configuration, for editors");
        command.SetAction(_ => surroundings.Output.Write(ConfigSchema.Write()));
        return command;
    }

    private static Command Demo(Surroundings surroundings)
    {
        var once = new Option<bool>("--once", "-once") { Description = "One short round, a plain table, then end" };
        var command = new Command("demo", "Show the gateway before three embedded backends, until Ctrl-C") { once };
        command.SetAction(parsed => DemoCommand.RunAsync(parsed.GetValue(once), surroundings));
        return command;
    }

    private static Command Backend(Surroundings surroundings)
    {
        var port = Flag("port", "PORT", "Listen on this port; 0 takes a free one (default 9001)");
        var bind = Flag("bind", "ADDRESS", "Listen on this IP address (default 127.0.0.1)");
        var name = Flag("name", "NAME", "What the backend calls itself in its responses (default backend)");
        var delay = Flag("delay", "TIME", "Wait this long before each response (default 0)");
        var failRate = Flag("fail-rate", "SHARE", "Fail this share of requests, from 0 to 1 (default 0)");
        var keepAlive = Flag("keepalive", "TIME", "Close a connection that is idle for this long (default: never)");
        var command = new Command("backend", "Run a small backend to try things with, until SIGTERM or SIGINT")
        {
            port, bind, name, delay, failRate, keepAlive,
        };
        command.SetAction(parsed => BackendCommand.RunAsync(
            new BackendFlags(
                parsed.GetValue(port), parsed.GetValue(bind), parsed.GetValue(name),
                parsed.GetValue(delay), parsed.GetValue(failRate), parsed.GetValue(keepAlive)),
            surroundings));
        return command;
    }

    private static Command Completion(Surroundings surroundings, RootCommand root)
    {
        var shell = new Argument<string>("SHELL")
        {
            Description = $"One of {string.Join(", ", CompletionScripts.Shells)}",
        };
        shell.AcceptOnlyFromAmong([.. CompletionScripts.Shells]);
        var command = new Command("completion", "Print the script by which a shell completes commands") { shell };
        command.SetAction(parsed => surroundings.Output.Write(
            CompletionScripts.For(parsed.GetValue(shell)!, root)));
        return command;
    }

    private static Command Manual(Surroundings surroundings, RootCommand root)
    {
        var command = new Command("manual", "Print the manual page, for man");
        command.SetAction(_ => surroundings.Output.Write(ManualPage.Write(root)));
        return command;
    }

    private static Command Version()
    {
        var command = new Command("version", "Show the version");
        command.Action = new PrintVersion();
        return command;
    }

    /// <summary><c>--config</c>, the same for every command that reads a configuration.</summary>
    internal static Option<string> ConfigFlag()
        => Flag("config", "FILE", "Configuration file, - for standard input (default: ./"
            + string.Join(", then ", ConfigFile.DefaultPaths) + ")");

    /// <summary>A flag with a value, written with one dash or two.</summary>
    internal static Option<string> Flag(string name, string valueName, string description)
        => new($"--{name}", $"-{name}") { Description = description, HelpName = valueName };

    // Errors name a flag as the user wrote it, with one dash or two.
    private static ConfigOverride? Override(ParseResult parsed, Option<string> flag)
        => parsed.GetResult(flag) is { } given && parsed.GetValue(flag) is { } value
            ? new(value, given.IdentifierToken?.Value ?? flag.Name)
            : null;

    /// <summary>Prints which version this is.</summary>
    private sealed class PrintVersion : AsynchronousCommandLineAction
    {
        public override async Task<int> InvokeAsync(
            ParseResult parseResult, CancellationToken cancellationToken = default)
        {
            var output = parseResult.InvocationConfiguration.Output;
            var transport = await ProxyServer.DescribeTransportAsync();
            await output.WriteLineAsync(
                $"polybalance {ProductVersion.Text} ({ProductVersion.Runtime}; transport {transport})");
            return ExitCode.Fine;
        }
    }
}
