using System.Globalization;

namespace PolyBalance.Benchmarks.Compare.Figures;

/// <summary>
/// What wrk says at its end, exactly: its own table rounds, so a script prints every figure on one line.
/// </summary>
/// <param name="Requests">Responses read to their end.</param>
/// <param name="Seconds">How long it ran.</param>
/// <param name="Errors">What it counts as errors.</param>
/// <param name="Latency">As wrk measured it.</param>
internal sealed record WrkReport(long Requests, double Seconds, LoadErrors Errors, Latencies Latency)
{
    private const string Mark = "compare:";
    private const int FigureCount = 12;

    /// <summary>The Lua function that prints the line. wrk counts latencies and durations in microseconds.</summary>
    public const string Script =
        $$"""
        done = function(summary, latency, requests)
          local errors = summary.errors
          io.write(string.format("{{Mark}} %d %d %d %d %d %d %d %d %d %d %d %d\n",
            summary.requests, summary.duration,
            errors.connect, errors.read, errors.write, errors.timeout, errors.status,
            latency:percentile(50), latency:percentile(90), latency:percentile(99), latency:percentile(99.9),
            latency.max))
        end

        """;

    /// <summary>Finds the line in what wrk printed.</summary>
    /// <returns>Absent when there is none: wrk did not come to its end.</returns>
    public static WrkReport? Parse(string output)
    {
        var line = output.Split('\n').FirstOrDefault(one => one.StartsWith(Mark, StringComparison.Ordinal));
        if (line is null)
            return null;

        var words = line[Mark.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var figures = new long[FigureCount];
        if (words.Length != FigureCount)
            return null;
        for (var i = 0; i < FigureCount; i++)
        {
            if (!long.TryParse(words[i], NumberStyles.None, CultureInfo.InvariantCulture, out figures[i]))
                return null;
        }

        return new(
            figures[0], figures[1] / 1e6,
            new(figures[2], figures[3], figures[4], figures[5], figures[6]),
            new(figures[7], figures[8], figures[9], figures[10], figures[11]));
    }
}
