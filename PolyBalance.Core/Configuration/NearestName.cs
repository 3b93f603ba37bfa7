namespace PolyBalance.Configuration;

/// <summary>Finds the name that somebody meant who wrote another one.</summary>
internal static class NearestName
{
    // Longer words are no slips of the finger, and the table below grows with their square.
    private const int LengthMax = 64;

    // The beginning of a word counts as much as two slips; one that is shorter says nothing.
    private const int ShortenedLengthMin = 3;
    private const int ShortenedDistance = 2;

    /// <summary>
    /// The most similar name, or <see langword="null"/> when none is similar enough to be worth suggesting.
    /// </summary>
    /// <param name="written">What was written.</param>
    /// <param name="names">What could have been meant; of equally near ones the first is taken.</param>
    public static string? Of(string written, IEnumerable<string> names) => Find(written, names)?.Name;

    /// <summary>The same, and how many slips of the finger it takes to write the one instead of the other.</summary>
    /// <param name="written">What was written.</param>
    /// <param name="names">What could have been meant; of equally near ones the first is taken.</param>
    public static (string Name, int Distance)? Find(string written, IEnumerable<string> names)
    {
        if (written.Length > LengthMax)
            return null;

        var plain = Plain(written);
        string? nearest = null;
        var best = Math.Max(2, plain.Length / 3) + 1;
        foreach (var name in names)
        {
            var distance = Distance(plain, Plain(name));
            if (IsShortened(plain, name))
                distance = Math.Min(distance, ShortenedDistance);

            // A word of two letters is two letters away from every other one.
            if (distance >= best || distance >= name.Length)
                continue;

            best = distance;
            nearest = name;
        }

        return nearest is null ? null : (nearest, best);
    }

    /// <summary>How an error ends that names the alternatives: the nearest one, or all of them.</summary>
    /// <param name="written">What was written.</param>
    /// <param name="names">What could have been meant.</param>
    /// <param name="otherwise">What to say before the list when none is near.</param>
    public static string Suggest(string written, IReadOnlyList<string> names, string otherwise)
        => Of(written, names) is { } nearest ? $"did you mean `{nearest}`?"
            : names is [var only] ? $"write `{only}`"
            : $"{otherwise} {List(names)}";

    /// <summary>Names as a sentence has them.</summary>
    /// <param name="names">In their order.</param>
    public static string List(IEnumerable<string> names) => string.Join(", ", names.Select(name => $"`{name}`"));

    // `info` for `information`, `max_conn` for `max_connections`.
    private static bool IsShortened(string written, string name)
        => written.Length >= ShortenedLengthMin && written.Length < name.Length
            && name.StartsWith(written, StringComparison.Ordinal);

    private static string Plain(string name) => name.ToLowerInvariant().Replace('-', '_');

    // Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
    private static int Distance(string left, string right)
    {
        var table = new int[left.Length + 1, right.Length + 1];
        for (var i = 0; i <= left.Length; i++)
            table[i, 0] = i;
        for (var j = 0; j <= right.Length; j++)
            table[0, j] = j;

        for (var i = 1; i <= left.Length; i++)
        {
            for (var j = 1; j <= right.Length; j++)
            {
                var replaced = table[i - 1, j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
                var best = Math.Min(replaced, Math.Min(table[i - 1, j], table[i, j - 1]) + 1);
                if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                    best = Math.Min(best, table[i - 2, j - 2] + 1);

                table[i, j] = best;
            }
        }

        return table[left.Length, right.Length];
    }
}
