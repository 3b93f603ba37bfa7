namespace PolyBalance.Configuration;

/// <summary>A key that nobody reads: which one was probably meant, and what to do about it.</summary>
/// <param name="Meant">A key of the same section; <see langword="null"/> when it resembles none.</param>
/// <param name="Remedy">What to write, without a period.</param>
internal sealed record UnknownKey(string? Meant, string Remedy)
{
    // One slip of the finger is likelier than a key in the wrong section; more of them are not.
    private const int OneSlip = 1;

    // A longer list helps nobody who has been told where the key belongs.
    private const int ListedMax = 6;

    /// <summary>Finds out what somebody meant.</summary>
    /// <param name="entry">What was written.</param>
    /// <param name="before">What stands before it in the section; <see langword="null"/>: nothing.</param>
    /// <param name="map">The section.</param>
    /// <param name="known">The keys of the section.</param>
    /// <param name="place">Where the key belongs, see <see cref="KeyPlaces.Of"/>.</param>
    public static UnknownKey Explain(
        ConfigEntry entry, ConfigEntry? before, ConfigMap map, IReadOnlyList<string> known,
        (string Where, bool IsBelow)? place)
    {
        if (Glued(entry.Key, known) is { } glued)
            return glued;
        // What is written already is probably not meant a second time.
        string[] likely = [.. known.OrderBy(key => map.Find(key) is not null)];
        var nearest = NearestName.Find(entry.Key, likely);
        if (place is var (where, isBelow) && nearest is not { Distance: <= OneSlip })
        {
            return new(null, isBelow || known.Count > ListedMax
                ? $"it belongs {where}"
                : $"it belongs {where}; allowed here: {NearestName.List(known)}");
        }

        return new(nearest?.Name, nearest is var (name, _)
            ? $"did you mean `{name}`?"
            : SplitByComma(entry, before) ?? NearestName.Suggest(entry.Key, known, "allowed here:"));
    }

    // YAML wants a blank behind a colon; without it the colon is a letter of the key.
    private static UnknownKey? Glued(string key, IReadOnlyList<string> known)
    {
        var colon = key.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && known.Contains(key[..colon])
            ? new(key[..colon], $"write a space after the colon of `{key[..colon]}:`")
            : null;
    }

    // `{ expect: 200,204 }`: in braces a comma ends a value, and what follows is a key without one.
    private static string? SplitByComma(ConfigEntry entry, ConfigEntry? before)
        => entry is { Value.IsNull: true, Key: [>= '0' and <= '9', ..] }
            && before is { Key: var key, Value: ConfigScalar { IsNull: false, Text: var text } }
            ? $"in braces a comma ends a value; if it belongs to the value, write `{key}: \"{text},{entry.Key}\"`"
            : null;
}
