namespace PolyBalance.Benchmarks.Compare.Figures;

/// <summary>
/// What several rounds gave for one figure: the median is quoted, the rest says how much it is worth.
/// </summary>
/// <param name="Median">The middle one; between the two in the middle when their count is even.</param>
/// <param name="Min">The least.</param>
/// <param name="Max">The most.</param>
/// <param name="Count">How many rounds.</param>
internal readonly record struct Spread(double Median, double Min, double Max, int Count)
{
    /// <summary>Beyond this share of the median to either side a figure is marked as noisy.</summary>
    public const double NoiseShare = 0.15;

    /// <summary>Whether a round lies further from the median than <see cref="NoiseShare"/>.</summary>
    public bool IsNoisy => Max - Median > Math.Abs(Median) * NoiseShare || Median - Min > Math.Abs(Median) * NoiseShare;

    /// <summary>The spread of some values, absent when there are none.</summary>
    public static Spread? Of(IEnumerable<double> values)
    {
        var ordered = values.Order().ToArray();
        if (ordered.Length == 0)
            return null;

        var middle = ordered.Length / 2;
        var median = ordered.Length % 2 == 1 ? ordered[middle] : (ordered[middle - 1] + ordered[middle]) / 2;
        return new(median, ordered[0], ordered[^1], ordered.Length);
    }
}
