namespace PolyBalance.Http;

/// <summary>
/// Lists of pairs <c>name=value</c> with one separator between them: the cookies of a field line (RFC 6265 §4.2.1), the
/// parameters of a query. Names are compared byte for byte.
/// </summary>
internal static class Pairs
{
    /// <summary>Takes everything up to and including the next pair with a name off the front of a list.</summary>
    /// <param name="pairs">The list; afterwards what follows the pair, or nothing.</param>
    /// <param name="separator">What stands between two pairs; blanks around it do not count.</param>
    /// <param name="name">The name looked for.</param>
    /// <param name="value">The value as sent; may be empty.</param>
    /// <returns>Whether there was such a pair.</returns>
    public static bool TryTake(
        scoped ref ReadOnlySpan<byte> pairs, byte separator, scoped ReadOnlySpan<byte> name,
        out ReadOnlySpan<byte> value)
    {
        while (!pairs.IsEmpty)
        {
            var end = pairs.IndexOf(separator);
            var pair = Ascii.TrimBlanks(end < 0 ? pairs : pairs[..end]);
            pairs = end < 0 ? default : pairs[(end + 1)..];
            if (pair.Length > name.Length && pair[name.Length] == '=' && pair.StartsWith(name))
            {
                value = pair[(name.Length + 1)..];
                return true;
            }
        }

        value = default;
        return false;
    }
}
