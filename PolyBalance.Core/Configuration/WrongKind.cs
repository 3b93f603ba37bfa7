namespace PolyBalance.Configuration;

/// <summary>What to say of a value that is built in another way than its key wants, and what to write.</summary>
internal static class WrongKind
{
    private static readonly string[] Affirmations = ["true", "True", "yes", "Yes", "on", "On", "enabled"];

    /// <summary>A list or mapping where a single value belongs.</summary>
    /// <param name="subject">The key, or what an error calls the value; in backquotes where it is a name.</param>
    /// <param name="key">What stands before the colon.</param>
    /// <param name="node">What was written.</param>
    /// <param name="isReadable">Whether a text would be understood.</param>
    public static Flaw OfValue(string subject, string key, ConfigNode node, Func<string, bool> isReadable)
    {
        var problem = $"{subject} must be a single value, not {node.Kind}";
        if (node is not ConfigList { Items: var items } || items.Any(item => item is not ConfigScalar))
            return new(problem, "write it on the same line");

        var joined = string.Join(',', items.Cast<ConfigScalar>().Select(item => item.Text));
        return new(problem, isReadable(joined)
            ? $"write `{key}: {(items.Count > 1 ? $"\"{joined}\"" : joined)}`"
            : "write one value, without brackets");
    }

    /// <summary>Something else where a list belongs.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="node">What was written.</param>
    /// <param name="element">What an element looks like when it is no single value.</param>
    public static Flaw OfList(string key, ConfigNode node, string? element)
    {
        var problem = $"`{key}` must be a list, not {node.Kind}";
        if (node is ConfigMap { Entries: [{ Key: ['-', _, ..] } first, ..] })
            return new(problem, $"write a space after the dash of {Flaw.Show(first.Key)}");

        return new(problem, node is ConfigScalar scalar
            ? $"write `{key}: [ {element ?? Shown(scalar)} ]`"
            : "begin each element with `- `, or write `[ …, … ]`");
    }

    /// <summary>Something else where a mapping belongs.</summary>
    /// <param name="subject">The key, or what an error calls the value; in backquotes where it is a name.</param>
    /// <param name="node">What was written.</param>
    /// <param name="example">What could stand there.</param>
    /// <param name="keyOrOff">Its key, where <c>off</c> would do as well; otherwise <see langword="null"/>.</param>
    public static Flaw OfSection(string subject, ConfigNode node, string example, string? keyOrOff)
        => new($"{subject} must be a mapping{(keyOrOff is null ? "" : " or `off`")}, not {node.Kind}",
            keyOrOff is not null && node is ConfigScalar { Text: var text } && Affirmations.Contains(text)
                ? $"write `{keyOrOff}: {{}}` for its defaults"
                : $"write `{example}`");

    private static string Shown(ConfigScalar scalar)
        => scalar.IsPlain && !scalar.Text.Any(c => c is '{' or '}' or '[' or ']') ? scalar.Text : $"\"{scalar.Text}\"";
}
