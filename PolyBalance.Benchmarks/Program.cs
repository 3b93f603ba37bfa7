using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using PolyBalance.Benchmarks.Compare;

namespace PolyBalance.Benchmarks;

/// <summary>Where the benchmark process begins: arguments in, exit code out.</summary>
internal static class Program
{
    private const string Help =
        """
        Benchmarks of PolyBalance: time by BenchmarkDotNet, bytes by counting.

          dotnet run -c Release --project PolyBalance.Benchmarks -- COMMAND

        Time, for a quiet machine:
          --filter '*'                     all benchmarks
          --filter '*Head*'                those whose full name matches
          --filter '*Get*' --job short     fewer rounds
          --list flat                      names only
          --help all                       every option of BenchmarkDotNet

        Bytes, the same on every machine; tests hold them to baselines/allocations.json:
          allocations [TEXT]               per benchmark with a budget, one JSON object per line;
                                           TEXT is part of the names that are wanted
          soak sockets CLIENTS REQUESTS [log]
                                           GETs through the whole gateway over loopback, CLIENTS at the same time; with
                                           `log` each becomes a line of the access log
          soak io_uring CLIENTS REQUESTS [log]
                                           the same through an io_uring per processor
          soak memory REQUESTS [TRACED]    the same in memory, one client, no kernel; with TRACED so many of a million
                                           exchanges are recorded in traces

        Beside other gateways, on this machine and in one run:
          compare --quick                  CPU per request, throughput and latency beside nginx, HAProxy and YARP
          compare --help                   loads, proxies, options

        """;

    private static readonly JsonSerializerOptions Lines =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static async Task<int> Main(string[] arguments)
    {
        // Before the choice of an engine: a comparison's children would inherit it.
        switch (arguments)
        {
            case [CompareArguments.Verb, .. var rest]:
                return await CompareArguments.RunAsync(rest);

            case [OpenLoopLoad.Verb, .. var numbers]:
                return OpenLoopLoad.Generate(
                    [.. numbers.Select(number => TryCount(number, out var count) ? count : 0)]);
        }

        ChooseSocketEngine();
        switch (arguments)
        {
            case [] or ["--help" or "-h" or "help"]:
                Console.Write(Help);
                return 0;

            case ["allocations"]:
                return PrintAllocations("");

            case ["allocations", var text]:
                return PrintAllocations(text);

            case ["soak", "sockets" or "io_uring", var clients, var requests, .. [] or ["log"]]
                when TryCount(clients, out var clientCount) && TryCount(requests, out var requestCount):
                Print(await SoakRun.OverLoopbackAsync(
                    arguments[1], clientCount, requestCount, logs: arguments.Length > 4));
                return 0;

            case ["soak", "memory", var requests] when TryCount(requests, out var requestCount):
                Print(await SoakRun.OverMemoryAsync(requestCount, tracing: null));
                return 0;

            case ["soak", "memory", var requests, var traced]
                when TryCount(requests, out var requestCount) && int.TryParse(traced, out var perMillion):
                Print(await SoakRun.OverMemoryAsync(requestCount, new() { SamplePerMillion = perMillion }));
                return 0;

            case ["allocations" or "soak", ..]:
                await Console.Error.WriteAsync(Help);
                return 2;

            default:
                return Measure(arguments is ["--help", "all"] ? ["--help"] : arguments);
        }
    }

    private static int Measure(string[] arguments)
    {
        // Each run builds this project again, with every analyzer: on a busy machine that takes longer than the
        // default.
        var config = ManualConfig.Create(DefaultConfig.Instance).WithBuildTimeout(TimeSpan.FromMinutes(10));
        var summaries = BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(arguments, config);
        return summaries.Any(HasFailed) ? 1 : 0;
    }

    private static bool HasFailed(Summary summary)
        => summary.HasCriticalValidationErrors || summary.Reports.Any(report => !report.Success);

    private static int PrintAllocations(string text)
    {
        var count = 0;
        foreach (var allocation in AllocationRun.Run(text))
        {
            Print(allocation);
            count++;
        }

        return count > 0 ? 0 : 1;
    }

    private static void Print<T>(T value) => Console.WriteLine(JsonSerializer.Serialize(value, Lines));

    private static bool TryCount(string text, out int count)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count) && count > 0;

    /// <summary>
    /// As the gateway's own process does, before the first socket: otherwise another program would be measured. A value
    /// that the user has set stays.
    /// </summary>
    private static void ChooseSocketEngine()
    {
        SetUnlessSet("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");
        SetUnlessSet(
            "DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT",
            Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture));
    }

    private static void SetUnlessSet(string variable, string value)
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(variable)))
            Environment.SetEnvironmentVariable(variable, value);
    }
}
