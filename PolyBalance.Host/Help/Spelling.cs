namespace PolyBalance.Host.Help;

/// <summary>Guesses which word was meant.</summary>
internal static class Spelling
{
    /// <summary>
    /// The word that takes the fewest insertions, deletions and replacements to reach, if it takes only a few.
    /// </summary>
    /// <param name="written">What the user wrote.</param>
    /// <param name="known">What would have been right.</param>
    /// <returns><see langword="null"/> when nothing is near.</returns>
    public static string? Nearest(string written, IEnumerable<string> known)
    {
        string? nearest = null;
        var least = Math.Max(1, written.Length / 2) + 1;
        foreach (var word in known)
        {
            var distance = Distance(written, word);
            if (distance < least)
                (least, nearest) = (distance, word);
        }

        return nearest;
    }

    // One row of the usual table at a time: row[j] is the distance from what was read so far to the first j letters.
    private static int Distance(string from, string to)
    {
        var row = new int[to.Length + 1];
        for (var index = 0; index <= to.Length; index++)
            row[index] = index;
        for (var line = 1; line <= from.Length; line++)
        {
            var diagonal = row[0];
            row[0] = line;
            for (var index = 1; index <= to.Length; index++)
            {
                var replaced = diagonal + (from[line - 1] == to[index - 1] ? 0 : 1);
                diagonal = row[index];
                row[index] = Math.Min(replaced, Math.Min(row[index], row[index - 1]) + 1);
            }
        }

        return row[to.Length];
    }
}
