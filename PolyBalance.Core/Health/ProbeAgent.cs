using System.Reflection;

namespace PolyBalance.Health;

/// <summary>What probes call themselves.</summary>
internal static class ProbeAgent
{
    /// <summary>The version of this build, without its source revision.</summary>
    public static string Version { get; } = (typeof(ProbeAgent).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0").Split('+')[0];
}
