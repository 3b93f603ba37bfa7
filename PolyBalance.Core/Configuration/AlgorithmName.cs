namespace PolyBalance.Configuration;

/// <summary>The many spellings of the balancing algorithms.</summary>
internal static class AlgorithmName
{
    // The first spelling is the canonical one. Case and the characters between words do not matter.
    private static readonly string[][] Spellings =
    [
        ["round_robin", "rr"],
        ["weighted_round_robin", "wrr"],
        ["least_connections", "lc", "least_conn", "leastconn"],
        ["random"],
        ["power_of_two", "p2c", "power_of_two_choices"],
        ["peak_ewma", "ewma"],
        ["hash", "consistent_hash"],
        [HashOptions.AddressAlgorithm],
    ];

    private static readonly string[] All = [.. Spellings.SelectMany(spellings => spellings)];

    /// <summary>What may be written: each spelling, in any case, and with any signs between letters.</summary>
    public static readonly ConfigForm Form =
        new(string.Join('|', (string[])[.. ClusterOptions.Algorithms, HashOptions.AddressAlgorithm]))
        {
            Choices = All,
            Text = new("algorithm_name", "Write an algorithm such as `round_robin`.",
                $"(?!(?:{string.Join('|', All)})$)(?:{string.Join('|', All.Select(Pattern))})"),
        };

    /// <summary>Finds the canonical name of an algorithm.</summary>
    /// <param name="text">Any spelling.</param>
    public static Parsed<string> Parse(string text)
    {
        var letters = Letters(text);
        foreach (var spellings in Spellings)
        {
            if (spellings.Any(spelling => Letters(spelling) == letters))
                return spellings[0];
        }

        return new Flaw($"{Flaw.Show(text)} is no algorithm",
            NearestName.Suggest(text, [.. ClusterOptions.Algorithms], "write one of"));
    }

    // Signs may be anywhere, as far as the reader is concerned.
    private static string Pattern(string spelling)
        => "[-_]*" + string.Concat(spelling.Where(c => c != '_').Select(c =>
            (char.IsAsciiLetter(c) ? $"[{c}{char.ToUpperInvariant(c)}]" : c.ToString()) + "[-_]*"));

    private static string Letters(string text)
        => string.Concat(text.Where(c => c is not ('-' or '_'))).ToLowerInvariant();
}
