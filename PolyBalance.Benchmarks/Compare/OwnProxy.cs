using PolyBalance.Benchmarks.Compare.Figures;
using PolyBalance.Server;

namespace PolyBalance.Benchmarks.Compare;

/// <summary>PolyBalance as a proxy under test: the executable that was built beside this one.</summary>
internal static class OwnProxy
{
    /// <summary>One transport, ample connections to the backends.</summary>
    /// <param name="transport">Value of the config key.</param>
    /// <param name="logs">Whether each exchange becomes a line of JSON in a file.</param>
    public static PrepareProxy Prepare(string transport, bool logs) => async (workbench, folder, port, stop) =>
    {
        var path = Find();
        var (_, version) = await ChildProgram.RunAsync(path, ["--version"], stop);
        var name = $"polybalance-{transport}{(logs ? "-log-on" : "")}.yaml";
        var file = await workbench.WriteAsync(
            folder, name, Configuration(workbench, folder, port, transport, logs), stop);

        // The last thing in it is the transport that `auto` would take, which need not be this one.
        var (first, last) = (version.IndexOf(' ') + 1, version.IndexOf(';'));
        return new(path, ["run", "--config", file], $"{version[first..last]})");
    };

    private static string Configuration(Workbench workbench, string folder, int port, string transport, bool logs) =>
        $$"""
        listeners:
          - bind: "127.0.0.1:{{port}}"
        admin: off
        clusters:
          web:
            pool: { size: 1024, idle_timeout: 60s, max_lifetime: 168h }
            backends: [ {{string.Join(", ", workbench.Backends.Select(backend => $"\"{backend}\""))}} ]
        timeouts: { client_idle: 75s }
        logging: { level: warning, {{(logs ? $"access: json, access_path: {folder}/access.log" : "access: off")}} }
        transport: {{transport}}

        """;

    private static string Find()
    {
        // …/PolyBalance.Benchmarks/bin/Release/net10.0/ of this executable, and the same of the gateway's.
        var framework = new DirectoryInfo(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var root = framework.Parent!.Parent!.Parent!.Parent!.FullName;
        var folder = Path.Combine(root, "PolyBalance.Host", "bin", framework.Parent.Name, framework.Name);
        var executable = Path.Combine(folder, "polybalance");
        if (!File.Exists(executable))
        {
            throw new LeftOutException(
                $"{executable} is missing: build the solution (dotnet build -c {framework.Parent.Name})");
        }

        // `dotnet run --project` builds this project only; a gateway of yesterday must not be measured as today's.
        var core = File.ReadAllBytes(Path.Combine(folder, "PolyBalance.Core.dll"));
        if (!core.AsSpan().SequenceEqual(File.ReadAllBytes(typeof(ProxyServer).Assembly.Location)))
            throw new LeftOutException($"{ProxyNames.Own}.Host was built from another Core: build the whole solution");
        return executable;
    }
}
