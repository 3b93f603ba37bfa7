namespace PolyBalance.Telemetry;

/// <summary>What records the spans of exchanges: an <see cref="System.Diagnostics.ActivitySource"/>.</summary>
public static class SpanSource
{
    /// <summary>The name that listeners ask for.</summary>
    public const string Name = "PolyBalance";
}
