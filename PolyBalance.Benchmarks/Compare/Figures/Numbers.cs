using System.Text;

namespace PolyBalance.Benchmarks.Compare.Figures;

/// <summary>How numbers and tables are written.</summary>
internal static class Numbers
{
    /// <summary>Three digits where they mean something, and never an exponent.</summary>
    public static string Of(double value)
        => Math.Abs(value) switch
        {
            >= 100 => $"{value:0}",
            >= 10 => $"{value:0.0}",
            _ => $"{value:0.00}",
        };

    /// <summary>A median with its least and most, and a mark when they are far apart.</summary>
    public static string Of(Spread spread)
        => spread.Count == 1
            ? Of(spread.Median)
            : $"{Of(spread.Median)} ({Of(spread.Min)}–{Of(spread.Max)}){(spread.IsNoisy ? " ~" : "")}";

    /// <summary>A ratio, or a dash.</summary>
    public static string Ratio(double? ratio) => ratio is { } value ? $"{value:0.00} ×" : "–";

    /// <summary>A table in Markdown, its columns aligned so that it reads well as plain text too.</summary>
    /// <param name="rows">The first is the heading; all have the same count of cells.</param>
    public static string Table(IReadOnlyList<IReadOnlyList<string>> rows)
    {
        var widths = new int[rows[0].Count];
        foreach (var row in rows)
        {
            for (var i = 0; i < widths.Length; i++)
                widths[i] = Math.Max(widths[i], row[i].Length);
        }

        var text = new StringBuilder();
        for (var r = 0; r < rows.Count; r++)
        {
            for (var i = 0; i < widths.Length; i++)
                text.Append("| ").Append(rows[r][i].PadRight(widths[i])).Append(' ');
            text.Append("|\n");
            if (r > 0)
                continue;
            foreach (var width in widths)
                text.Append('|').Append('-', width + 2);
            text.Append("|\n");
        }

        return text.ToString();
    }
}
