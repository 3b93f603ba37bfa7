using System.Collections.Immutable;
using System.Globalization;

namespace PolyBalance.Balancing;

/// <summary>The words in which selectors say what speaks for or against a candidate.</summary>
internal static class Remark
{
    /// <summary>One remark for each.</summary>
    public static string[] OfEach(ImmutableArray<Candidate> candidates, Func<Candidate, string> remark)
    {
        var remarks = new string[candidates.Length];
        for (var index = 0; index < remarks.Length; index++)
            remarks[index] = remark(candidates[index]);
        return remarks;
    }

    /// <summary>How far away its turn is.</summary>
    /// <param name="turns">Turns of others before it.</param>
    public static string OfTurn(int turns) => turns switch
    {
        0 => "its turn is next",
        1 => "its turn comes after 1 other",
        _ => string.Create(CultureInfo.InvariantCulture, $"its turn comes after {turns} others"),
    };

    /// <summary>How busy it is.</summary>
    public static string OfLoad(Candidate candidate)
        => string.Create(
            CultureInfo.InvariantCulture, $"{Load.Of(candidate).InFlight} in flight at weight {candidate.Weight}");

    /// <summary>How often it is drawn.</summary>
    /// <param name="candidate">Who.</param>
    /// <param name="all">Among whom.</param>
    public static string OfChance(Candidate candidate, ImmutableArray<Candidate> all)
    {
        var total = 0L;
        foreach (var one in all)
            total += one.Weight;
        return string.Create(
            CultureInfo.InvariantCulture, $"drawn in {100.0 * candidate.Weight / total:0.#} % of requests");
    }

    /// <summary>Its place in the order in which a key prefers backends.</summary>
    /// <param name="rank">From 1.</param>
    /// <param name="whose">Whose order.</param>
    public static string OfRank(int rank, string whose)
    {
        var ending = (rank % 10, rank % 100) switch
        {
            (_, 11 or 12 or 13) => "th",
            (1, _) => "st",
            (2, _) => "nd",
            (3, _) => "rd",
            _ => "th",
        };
        return string.Create(CultureInfo.InvariantCulture, $"{rank}{ending} choice of {whose}");
    }
}
