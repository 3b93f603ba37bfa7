namespace PolyBalance.Admin;

/// <summary>What kind of metric a family is, in Prometheus' words.</summary>
internal enum MetricKind : byte
{
    /// <summary>Only ever grows.</summary>
    Counter,

    /// <summary>Goes up and down.</summary>
    Gauge,

    /// <summary>Durations in buckets; unit: seconds.</summary>
    Histogram,

    /// <summary>Quantiles of durations; unit: seconds.</summary>
    Summary,
}

/// <summary>A metric that operators see.</summary>
/// <param name="Name">As in the output; a change breaks dashboards and alerts.</param>
/// <param name="Kind">What kind it is.</param>
/// <param name="Help">What it says, in a sentence without a period.</param>
/// <param name="Labels">Names of its labels, in the order of the output.</param>
internal sealed record MetricFamily(string Name, MetricKind Kind, string Help, params string[] Labels)
{
    /// <summary>The kind as the text format spells it.</summary>
    public string KindName => Kind switch
    {
        MetricKind.Counter => "counter",
        MetricKind.Gauge => "gauge",
        MetricKind.Histogram => "histogram",
        _ => "summary",
    };
}
