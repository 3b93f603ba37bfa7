namespace PolyBalance.Benchmarks.Compare.Figures;

/// <summary>In which order the proxies have their turns.</summary>
internal static class Rounds
{
    /// <summary>
    /// Each round begins one further, so that nobody always runs on the machine that the same other proxy has warmed.
    /// </summary>
    /// <param name="all">Who takes part.</param>
    /// <param name="round">1-based.</param>
    public static IEnumerable<T> Rotate<T>(IReadOnlyList<T> all, int round)
    {
        for (var i = 0; i < all.Count; i++)
            yield return all[(i + round - 1) % all.Count];
    }
}
