namespace PolyBalance.Benchmarks.Compare;

/// <summary>What a user asked to compare, and how thoroughly.</summary>
/// <param name="Loads">Which loads, in order.</param>
/// <param name="Proxies">Which proxies.</param>
/// <param name="Rounds">How often each proxy has each load.</param>
/// <param name="Seconds">How long one run of a load takes.</param>
/// <param name="IsQuick">Whether the proxies are warmed up once and not before each load.</param>
/// <param name="Rate">Requests per second of the open loop; absent for half of what the slower peer can do.</param>
/// <param name="Output">Folder for the results.</param>
internal sealed record CompareOptions(
    IReadOnlyList<Load> Loads, IReadOnlyList<ProxyKind> Proxies, int Rounds, int Seconds, bool IsQuick, int? Rate,
    string Output);
