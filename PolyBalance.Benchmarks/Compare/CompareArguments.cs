using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace PolyBalance.Benchmarks.Compare;

/// <summary>The command line of <c>compare</c>: which options there are, and what is wrong with those given.</summary>
internal static class CompareArguments
{
    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>The word on the command line.</summary>
    public const string Verb = "compare";

    private const int RoundsUsual = 3;
    private const int SecondsUsual = 8;
    private const int RoundsMax = 100;
    private const int SecondsMax = 3_600;
    private const int RateMax = 10_000_000;

    private static readonly Option<bool> Quick = new("--quick")
    {
        Description = "A first look in less than two minutes: one round of one second, no log-on variants",
    };

    private static readonly Option<int?> RoundCount = new("--rounds")
    {
        Description = $"How often each proxy has each load (default {RoundsUsual})", HelpName = "COUNT",
    };

    private static readonly Option<int?> SecondCount = new("--seconds")
    {
        Description = $"How long one run takes (default {SecondsUsual})", HelpName = "COUNT",
    };

    private static readonly Option<string?> Only = new("--only")
    {
        Description = "Loads, with commas between them (default: all)", HelpName = "LOADS",
    };

    private static readonly Option<string?> Proxies = new("--proxies")
    {
        Description = "Proxies, with commas between them (default: those marked * below)", HelpName = "NAMES",
    };

    private static readonly Option<bool> Log = new("--log")
    {
        Description = "Each proxy also with its access log on",
    };

    private static readonly Option<int?> Rate = new("--rate")
    {
        Description = "Requests per second of `latency` (default: half of what the slower peer can do)",
        HelpName = "RATE",
    };

    private static readonly Option<string?> Output = new("--output")
    {
        Description = "Folder for the results (default: artifacts/compare/ and the time)", HelpName = "DIR",
    };

    /// <summary>Parses the arguments after the verb and compares.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string[] arguments)
    {
        var root = new RootCommand("Compares PolyBalance with nginx, HAProxy and YARP on this machine.");
        root.Directives.Clear();
        root.Options.Clear();
        root.Add(new HelpOption("--help", "-h") { Action = new HelpLines() });
        foreach (var option in (Option[])[Quick, RoundCount, SecondCount, Only, Proxies, Log, Rate, Output])
            root.Add(option);

        var parsed = root.Parse(arguments, new() { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
        if (parsed.Action is HelpLines help)
            return help.Invoke(parsed);

        var problems = parsed.Errors.Select(error => error.Message).ToList();
        var options = problems.Count == 0 ? Read(parsed, problems) : null;
        if (options is not null)
            return await CompareCommand.RunAsync(options);

        foreach (var problem in problems)
            await Console.Error.WriteLineAsync($"{Verb}: {problem}");
        await Console.Error.WriteLineAsync($"Try: {Verb} --help");
        return Usage;
    }

    private static CompareOptions? Read(ParseResult parsed, List<string> problems)
    {
        var loads = Load.Choose(parsed.GetValue(Only), out var unknownLoad);
        var isQuick = parsed.GetValue(Quick);
        var proxies = ProxyKinds.Choose(
            parsed.GetValue(Proxies), parsed.GetValue(Log), isQuick, out var unknownProxy);
        problems.AddRange(((string?[])[unknownLoad, unknownProxy]).OfType<string>());
        if (loads is { Count: 0 })
            problems.Add("--only names no load");
        if (proxies is { Count: 0 })
            problems.Add("--proxies names no proxy");

        var rounds = Within(parsed, RoundCount, isQuick ? 1 : RoundsUsual, RoundsMax, problems);
        var seconds = Within(parsed, SecondCount, isQuick ? 1 : SecondsUsual, SecondsMax, problems);
        var rate = parsed.GetValue(Rate) is null ? (int?)null : Within(parsed, Rate, 1, RateMax, problems);
        var output = parsed.GetValue(Output)
            ?? Path.Combine("artifacts", "compare", $"{TimeProvider.System.GetLocalNow():yyyyMMdd-HHmmss}");
        return problems.Count > 0 || loads is null || proxies is null
            ? null
            : new(loads, proxies, rounds, seconds, isQuick, rate, Path.GetFullPath(output));
    }

    private static int Within(ParseResult parsed, Option<int?> option, int usual, int most, List<string> problems)
    {
        var value = parsed.GetValue(option) ?? usual;
        if (value < 1 || value > most)
            problems.Add($"{option.Name} {value}: from 1 to {most}");
        return value;
    }

    /// <summary>Prints the options, the names that they take, and lines that can be copied.</summary>
    private sealed class HelpLines : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            var output = parseResult.InvocationConfiguration.Output;
            var command = parseResult.RootCommandResult.Command;
            output.WriteLine(command.Description);
            output.WriteLine("CPU time per request decides; rounds alternate over the proxies; medians are quoted.");
            output.WriteLine("\nUsage: dotnet run -c Release --project PolyBalance.Benchmarks -- compare [options]\n");
            foreach (var option in command.Options.Where(option => option is not HelpOption))
                output.WriteLine($"  {$"{option.Name} {option.HelpName}",-18} {option.Description}");
            output.WriteLine($"  {"--help",-18} Show this");

            output.WriteLine("\nLoads:");
            foreach (var load in Load.All)
                output.WriteLine($"  {load.Name,-18} {load.Title}");
            output.WriteLine("\nProxies; `polybalance` stands for all of ours that are marked:");
            foreach (var kind in ProxyKinds.All)
                output.WriteLine($"  {kind.Key}{(kind.IsDefault ? " *" : "")}");
            output.WriteLine(
                """

                Build the solution first (dotnet build -c Release): the gateway is measured as its own executable.
                Written are results.md, results.json, results.svg and the configurations that were used.

                Exit codes: 0 compared; 1 nothing could be compared, or a run had errors; 2 the command line is wrong.

                Examples:
                  compare --quick
                  compare --only 49b-64,1m-down --proxies nginx,haproxy,"polybalance io_uring"
                  compare --only latency --rate 20000 --rounds 5
                  compare --seconds 20 --log --output artifacts/compare/long
                """);
            return CompareCommand.Fine;
        }
    }
}
