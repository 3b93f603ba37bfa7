namespace PolyBalance.Backends;

/// <summary>What probes say of a backend.</summary>
internal enum Verdict : byte
{
    /// <summary>It has not been probed yet: nobody knows, so it gets no traffic.</summary>
    Unknown,

    /// <summary>It answers as it should.</summary>
    Healthy,

    /// <summary>It does not.</summary>
    Unhealthy,
}
