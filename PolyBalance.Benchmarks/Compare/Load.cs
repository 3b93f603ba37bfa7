using PolyBalance.Benchmarks.Compare.Figures;

namespace PolyBalance.Benchmarks.Compare;

/// <summary>What makes a load.</summary>
internal enum LoadKind : byte
{
    /// <summary>wrk: the next request follows when the response is there.</summary>
    ClosedLoop,

    /// <summary>Our own generator: requests come due at a fixed rate.</summary>
    OpenLoop,

    /// <summary>Connections that have had one exchange and then say nothing.</summary>
    Idle,
}

/// <summary>One way to load a proxy.</summary>
/// <param name="Name">Short, as <c>--only</c> spells it.</param>
/// <param name="Title">What it is, in words.</param>
/// <param name="Kind">What makes it.</param>
/// <param name="Connections">How many, at the same time.</param>
/// <param name="Path">Of the request target.</param>
/// <param name="Script">Lua for wrk, before the part that prints the figures.</param>
internal sealed record Load(
    string Name, string Title, LoadKind Kind, int Connections, string Path = "/", string Script = "")
{
    /// <summary>All loads, in the order in which they run.</summary>
    public static readonly IReadOnlyList<Load> All =
    [
        new(LoadNames.Small1, "GET of 49 bytes, 1 connection", LoadKind.ClosedLoop, 1),
        new(LoadNames.Small64, "GET of 49 bytes, 64 connections", LoadKind.ClosedLoop, 64),
        new(LoadNames.Small1000, "GET of 49 bytes, 1000 connections", LoadKind.ClosedLoop, 1000),
        new(LoadNames.Medium, "GET of 10 KiB, 32 connections", LoadKind.ClosedLoop, 32, "/10k"),
        new(LoadNames.LargeDown, "GET of 1 MiB, 32 connections", LoadKind.ClosedLoop, 32, "/1m"),
        new(LoadNames.LargeUp, "POST of 1 MiB with a length, 32 connections", LoadKind.ClosedLoop, 32, "/upload",
            "wrk.method = \"POST\"\nwrk.body = string.rep(\"u\", 1048576)\n"),
        new(LoadNames.Chunked, "GET of 10 KiB in chunks, 32 connections", LoadKind.ClosedLoop, 32, "/chunked"),
        new(LoadNames.NewConnection, "GET of 49 bytes, each on a new connection, 32 at a time", LoadKind.ClosedLoop, 32,
            Script: "wrk.headers[\"Connection\"] = \"close\"\n"),
        new(LoadNames.Latency, "GET of 49 bytes at a fixed rate, 64 connections", LoadKind.OpenLoop, 64),
        new(LoadNames.Idle, "connections that are idle after one GET", LoadKind.Idle, 10_000),
    ];

    /// <summary>The loads that a user named.</summary>
    /// <param name="names">Names with commas between them; absent for all.</param>
    /// <param name="problem">Which name no load has, with those there are.</param>
    /// <returns>Absent when there is a problem.</returns>
    public static IReadOnlyList<Load>? Choose(string? names, out string? problem)
    {
        problem = null;
        if (names is null)
            return All;

        var chosen = new HashSet<Load>();
        foreach (var name in names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (All.FirstOrDefault(load => load.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) is not { } found)
            {
                problem = $"unknown load `{name}`; there are: {string.Join(", ", All.Select(load => load.Name))}";
                return null;
            }

            chosen.Add(found);
        }

        return [.. All.Where(chosen.Contains)];
    }
}
