using PolyBalance.Benchmarks.Compare.Figures;

namespace PolyBalance.Benchmarks.Compare;

/// <summary>Every proxy that can take part. A new one is its own file and one line here.</summary>
internal static class ProxyKinds
{
    /// <summary>All of them; those with an access log follow those without.</summary>
    public static readonly IReadOnlyList<ProxyKind> All =
    [
        new("nginx", IsDefault: true, NginxProxy.Prepare(logs: false)),
        new("HAProxy", IsDefault: true, HaproxyProxy.Prepare(logs: false)),
        new(ProxyNames.Yarp, IsDefault: true, YarpProxy.PrepareAsync),
        new("PolyBalance sockets", IsDefault: true, OwnProxy.Prepare("sockets", logs: false)),
        new("PolyBalance io_uring", IsDefault: true, OwnProxy.Prepare("io_uring", logs: false)),
        new("nginx, log on", IsDefault: false, NginxProxy.Prepare(logs: true)),
        new("HAProxy, log on", IsDefault: false, HaproxyProxy.Prepare(logs: true)),
        new("PolyBalance sockets, log on", IsDefault: false, OwnProxy.Prepare("sockets", logs: true)),
        new("PolyBalance io_uring, log on", IsDefault: true, OwnProxy.Prepare("io_uring", logs: true)),
    ];

    /// <summary>The proxies that a user named.</summary>
    /// <param name="names">Names with commas between them; absent for the default ones.</param>
    /// <param name="withLogs">Whether each comes with its variant that writes an access log.</param>
    /// <param name="isQuick">Whether the default ones are only those without a log.</param>
    /// <param name="problem">Which name nobody has, with those there are.</param>
    /// <returns>Absent when there is a problem.</returns>
    public static IReadOnlyList<ProxyKind>? Choose(string? names, bool withLogs, bool isQuick, out string? problem)
    {
        problem = null;
        var chosen = new List<ProxyKind>();
        if (names is null)
            chosen.AddRange(All.Where(kind => kind.IsDefault && !(isQuick && kind.IsLogging)));

        foreach (var name in ProxyNames.KeysOf(names ?? ""))
        {
            var found = Named(name);
            if (found.Count == 0)
            {
                problem = $"unknown proxy `{name}`; there are: {string.Join(", ", All.Select(kind => kind.Key))}";
                return null;
            }

            chosen.AddRange(found);
        }

        if (withLogs)
            chosen.AddRange(All.Where(kind => chosen.Any(one => kind.Name == one.Name + ProxyNames.LogOnSuffix)));
        return [.. All.Where(chosen.Contains)];
    }

    // A whole name, or the family: `polybalance` stands for those that take part by default.
    private static List<ProxyKind> Named(string key)
        => All.FirstOrDefault(kind => kind.Key == key) is { } one
            ? [one]
            : [.. All.Where(kind => kind.IsDefault && kind.Key.StartsWith(key + " ", StringComparison.Ordinal))];
}
