using System.Buffers;
using System.Globalization;
using System.Text;
using PolyBalance.Telemetry;

namespace PolyBalance.Admin;

/// <summary>Writes families and samples in Prometheus' text exposition format 0.0.4.</summary>
/// <remarks>Knows the format and no metric. Owned by one scrape.</remarks>
internal sealed class MetricsPage(IBufferWriter<byte> output)
{
    /// <summary>The media type of what is written.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private const int NumberBytesMax = 32;

    private static readonly double[] Shares = [0.5, 0.9, 0.99, 0.999];

    private MetricFamily _family = null!;

    /// <summary>Begins a family: all its samples follow, and no others.</summary>
    public void Begin(MetricFamily family)
    {
        _family = family;
        Write("# HELP ");
        Write(family.Name);
        Write(" ");
        WriteEscaped(family.Help, isQuoted: false);
        Write("\n# TYPE ");
        Write(family.Name);
        Write(" ");
        Write(family.KindName);
        Write("\n");
    }

    /// <summary>A sample that is a count.</summary>
    /// <param name="value">The count.</param>
    /// <param name="labels">A value for each label of the family.</param>
    public void Sample(long value, params ReadOnlySpan<string> labels)
    {
        BeginSample("", labels);
        End(value);
    }

    /// <summary>A sample that is a measure.</summary>
    /// <param name="value">The measure.</param>
    /// <param name="labels">A value for each label of the family.</param>
    public void Sample(double value, params ReadOnlySpan<string> labels)
    {
        BeginSample("", labels);
        End(value);
    }

    /// <summary>The buckets, sum and count of a histogram.</summary>
    /// <param name="fold">What was counted.</param>
    /// <param name="labels">A value for each label of the family.</param>
    public void Histogram(LatencyFold fold, params ReadOnlySpan<string> labels)
    {
        Span<long> counts = stackalloc long[LatencyScale.Bounds.Length];
        fold.CountAtBounds(counts);
        for (var index = 0; index < counts.Length; index++)
        {
            BeginSample("_bucket", labels, "le", LatencyScale.Bounds[index]);
            End(counts[index]);
        }

        BeginSample("_bucket", labels, "le", double.PositiveInfinity);
        End(fold.Count);
        Totals(fold, labels);
    }

    /// <summary>Quantiles, sum and count.</summary>
    /// <param name="fold">What was counted.</param>
    /// <param name="labels">A value for each label of the family.</param>
    public void Summary(LatencyFold fold, params ReadOnlySpan<string> labels)
    {
        foreach (var share in Shares)
        {
            BeginSample("", labels, "quantile", share);
            End(fold.Quantile(share)?.TotalSeconds ?? double.NaN);
        }

        Totals(fold, labels);
    }

    private void Totals(LatencyFold fold, ReadOnlySpan<string> labels)
    {
        BeginSample("_sum", labels);
        End(fold.Seconds);
        BeginSample("_count", labels);
        End(fold.Count);
    }

    private void BeginSample(string suffix, ReadOnlySpan<string> labels, string? extra = null, double extraValue = 0)
    {
        Write(_family.Name);
        Write(suffix);
        var separator = "{";
        for (var index = 0; index < labels.Length; index++)
        {
            WriteLabel(ref separator, _family.Labels[index]);
            WriteEscaped(labels[index], isQuoted: true);
            Write("\"");
        }

        if (extra is not null)
        {
            WriteLabel(ref separator, extra);
            WriteNumber(extraValue);
            Write("\"");
        }

        Write(separator == "{" ? " " : "} ");
    }

    private void WriteLabel(ref string separator, string name)
    {
        Write(separator);
        separator = ",";
        Write(name);
        Write("=\"");
    }

    private void End(long value)
    {
        value.TryFormat(output.GetSpan(NumberBytesMax), out var written, provider: CultureInfo.InvariantCulture);
        output.Advance(written);
        Write("\n");
    }

    private void End(double value)
    {
        WriteNumber(value);
        Write("\n");
    }

    private void WriteNumber(double value)
    {
        if (double.IsPositiveInfinity(value))
        {
            Write("+Inf");
            return;
        }

        value.TryFormat(output.GetSpan(NumberBytesMax), out var written, provider: CultureInfo.InvariantCulture);
        output.Advance(written);
    }

    // A help text escapes backslashes and line feeds; a label value also the quotation mark that would end it.
    private void WriteEscaped(string text, bool isQuoted)
    {
        var rest = text.AsSpan();
        while (rest.IndexOfAny('\\', '\n', '"') is var special and >= 0)
        {
            Write(rest[..special]);
            Write(rest[special] switch
            {
                '\\' => "\\\\",
                '\n' => "\\n",
                _ => isQuoted ? "\\\"" : "\"",
            });
            rest = rest[(special + 1)..];
        }

        Write(rest);
    }

    private void Write(ReadOnlySpan<char> text)
    {
        var room = output.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length));
        output.Advance(Encoding.UTF8.GetBytes(text, room));
    }
}
