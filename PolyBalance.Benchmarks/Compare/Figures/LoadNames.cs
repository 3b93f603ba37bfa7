namespace PolyBalance.Benchmarks.Compare.Figures;

/// <summary>The short names of the loads, as <c>--only</c> and the results spell them.</summary>
internal static class LoadNames
{
    /// <summary>GET of 49 bytes over one connection.</summary>
    public const string Small1 = "49b-1";

    /// <summary>GET of 49 bytes over 64 connections.</summary>
    public const string Small64 = "49b-64";

    /// <summary>GET of 49 bytes over 1000 connections.</summary>
    public const string Small1000 = "49b-1000";

    /// <summary>GET of 10 KiB.</summary>
    public const string Medium = "10k";

    /// <summary>GET of 1 MiB.</summary>
    public const string LargeDown = "1m-down";

    /// <summary>POST of 1 MiB.</summary>
    public const string LargeUp = "1m-up";

    /// <summary>GET of 10 KiB in chunks.</summary>
    public const string Chunked = "chunked";

    /// <summary>Each request on a connection of its own.</summary>
    public const string NewConnection = "new-connection";

    /// <summary>A fixed rate, whatever the proxy does.</summary>
    public const string Latency = "latency";

    /// <summary>Connections that say nothing.</summary>
    public const string Idle = "idle-10000";
}
