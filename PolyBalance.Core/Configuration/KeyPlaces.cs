namespace PolyBalance.Configuration;

/// <summary>Knows where in a file each key belongs, for those who write it somewhere else.</summary>
internal static class KeyPlaces
{
    private const int NamedMax = 2;

    private static readonly Lazy<ILookup<string, string>> Sections = new(() => ConfigReference.Keys()
        .ToLookup(key => key.Name, key => key.Section, StringComparer.Ordinal));

    /// <summary>The sections that have such a key and are nearest to where it was written.</summary>
    /// <param name="key">What was written.</param>
    /// <param name="from">The section in which it stands, as <see cref="ConfigKey.Section"/> has it.</param>
    /// <returns>
    /// Such as <c>in `pool`</c>, and whether that is a part of where it was written; <see langword="null"/> when no
    /// section has such a key.
    /// </returns>
    public static (string Where, bool IsBelow)? Of(string key, string from)
    {
        var found = Sections.Value[key].ToList();
        if (found.Count == 0)
            return null;

        var least = found.Min(place => Steps(from, place));
        var nearest = found.FindAll(place => Steps(from, place) == least);
        return (string.Join(" or ", nearest.Take(NamedMax).Select(place => Name(place, from))),
            nearest.TrueForAll(place => IsBelow(place, from)));
    }

    // How many sections are to be left and entered on the way.
    private static int Steps(string from, string to)
    {
        var (left, right) = (Parts(from), Parts(to));
        var common = left.Zip(right).TakeWhile(pair => pair.First == pair.Second).Count();
        return left.Length + right.Length - 2 * common;
    }

    private static string[] Parts(string section)
        => section.Replace("[]", ".[]", StringComparison.Ordinal).Split('.', StringSplitOptions.RemoveEmptyEntries);

    // What lies below is named from here on, everything else from the top.
    private static string Name(string section, string from)
    {
        if (section.Length == 0)
            return "at the top level";

        var path = from.Length > 0 && IsBelow(section, from) ? section[(from.Length + 1)..] : section;
        var named = path.EndsWith("[]", StringComparison.Ordinal) ? $"an element of `{path[..^2]}`" : $"`{path}`";
        var isAmbiguous = !IsBelow(section, from) && !path.Contains('.', StringComparison.Ordinal);
        return $"in {named}{(isAmbiguous ? " at the top level" : "")}";
    }

    private static bool IsBelow(string section, string from)
        => from.Length == 0 || section.StartsWith(from + ".", StringComparison.Ordinal);
}
