using System.Buffers;
using System.Globalization;
using System.Text;

namespace PolyBalance.Admin;

/// <summary>Writes families and samples in Prometheus' text exposition format 0.0.4.</summary>
/// <remarks>Knows the format and no metric. Owned by one scrape.</remarks>
internal sealed class MetricsPage(IBufferWriter<byte> output) : MetricsWriter
{
    /// <summary>The media type of what is written.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private const int NumberBytesMax = 32;

    private MetricFamily _family = null!;

    /// <inheritdoc/>
    public override void Begin(MetricFamily family)
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

    /// <inheritdoc/>
    protected override void Put(
        string suffix, ReadOnlySpan<string> labels, string? extra, double extraValue, long value)
    {
        BeginSample(suffix, labels, extra, extraValue);
        End(value);
    }

    /// <inheritdoc/>
    protected override void Put(
        string suffix, ReadOnlySpan<string> labels, string? extra, double extraValue, double value)
    {
        BeginSample(suffix, labels, extra, extraValue);
        End(value);
    }

    private void BeginSample(string suffix, ReadOnlySpan<string> labels, string? extra, double extraValue)
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
