using PolyBalance.Benchmarks.Compare.Figures;

namespace PolyBalance.Benchmarks.Compare;

/// <summary>How one proxy is started, once its configuration is written.</summary>
/// <param name="Program">Path of the executable.</param>
/// <param name="Arguments">Its command line.</param>
/// <param name="Version">As the program itself says.</param>
internal sealed record ProxyStart(string Program, IReadOnlyList<string> Arguments, string Version);

/// <summary>Writes the configuration of a proxy and says how to start it.</summary>
/// <param name="workbench">Folders and backends.</param>
/// <param name="folder">Its own, thrown away at the end.</param>
/// <param name="port">Where it is to listen, on 127.0.0.1.</param>
/// <param name="stop">The comparison is over.</param>
/// <exception cref="LeftOutException">It is missing or cannot be built.</exception>
internal delegate Task<ProxyStart> PrepareProxy(
    Workbench workbench, string folder, int port, CancellationToken stop);

/// <summary>A proxy that can take part, in one way of running it.</summary>
/// <param name="Name">As tables write it.</param>
/// <param name="IsDefault">Whether it takes part when nobody names the proxies.</param>
/// <param name="PrepareAsync">Everything that comes before its start.</param>
internal sealed record ProxyKind(string Name, bool IsDefault, PrepareProxy PrepareAsync)
{
    /// <summary>What <c>--proxies</c> calls it: small letters, no comma.</summary>
    public string Key { get; } = ProxyNames.KeyOf(Name);

    /// <summary>Whether it writes an access log.</summary>
    public bool IsLogging => Name.EndsWith(ProxyNames.LogOnSuffix, StringComparison.Ordinal);
}
