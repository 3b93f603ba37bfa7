using PolyBalance.Telemetry;

namespace PolyBalance.Admin;

/// <summary>
/// Takes families and their samples, whatever becomes of them: a page of text, or measurements. What a histogram or a
/// summary consists of is laid down here, once.
/// </summary>
/// <remarks>Knows no metric. Owned by one reading.</remarks>
internal abstract class MetricsWriter
{
    private static readonly double[] Shares = [0.5, 0.9, 0.99, 0.999];

    /// <summary>Begins a family: all its samples follow, and no others.</summary>
    public abstract void Begin(MetricFamily family);

    /// <summary>A sample that is a count.</summary>
    /// <param name="value">The count.</param>
    /// <param name="labels">A value for each label of the family.</param>
    public void Sample(long value, params ReadOnlySpan<string> labels) => Put("", labels, null, 0, value);

    /// <summary>A sample that is a measure.</summary>
    /// <param name="value">The measure.</param>
    /// <param name="labels">A value for each label of the family.</param>
    public void Sample(double value, params ReadOnlySpan<string> labels) => Put("", labels, null, 0, value);

    /// <summary>The buckets, sum and count of a histogram.</summary>
    /// <param name="fold">What was counted.</param>
    /// <param name="labels">A value for each label of the family.</param>
    public void Histogram(LatencyFold fold, params ReadOnlySpan<string> labels)
    {
        Span<long> counts = stackalloc long[LatencyScale.Bounds.Length];
        fold.CountAtBounds(counts);
        for (var index = 0; index < counts.Length; index++)
            Put("_bucket", labels, "le", LatencyScale.Bounds[index], counts[index]);

        Put("_bucket", labels, "le", double.PositiveInfinity, fold.Count);
        Totals(fold, labels);
    }

    /// <summary>Quantiles, sum and count.</summary>
    /// <param name="fold">What was counted.</param>
    /// <param name="labels">A value for each label of the family.</param>
    public void Summary(LatencyFold fold, params ReadOnlySpan<string> labels)
    {
        foreach (var share in Shares)
            Put("", labels, "quantile", share, fold.Quantile(share)?.TotalSeconds ?? double.NaN);

        Totals(fold, labels);
    }

    /// <summary>Takes one sample of the family that was begun last.</summary>
    /// <param name="suffix">What follows the name of the family.</param>
    /// <param name="labels">A value for each label of the family.</param>
    /// <param name="extra">One more label; null: there is none.</param>
    /// <param name="extraValue">Its value.</param>
    /// <param name="value">The count.</param>
    protected abstract void Put(
        string suffix, ReadOnlySpan<string> labels, string? extra, double extraValue, long value);

    /// <summary>The same with a measure, which may be no number.</summary>
    protected abstract void Put(
        string suffix, ReadOnlySpan<string> labels, string? extra, double extraValue, double value);

    private void Totals(LatencyFold fold, ReadOnlySpan<string> labels)
    {
        Put("_sum", labels, null, 0, fold.Seconds);
        Put("_count", labels, null, 0, fold.Count);
    }
}
