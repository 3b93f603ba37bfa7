namespace PolyBalance.Configuration;

/// <summary>A place in the configuration that an error can point at.</summary>
/// <param name="File">The file as the user named it; or the flag or variable that holds the value.</param>
/// <param name="Line">1-based; 0 outside a file.</param>
/// <param name="Column">1-based; 0 outside a file.</param>
internal readonly record struct Position(string File, int Line, int Column);

/// <summary>A piece of the configuration before anybody knows what it means. Immutable; aliases share it.</summary>
/// <param name="at">Where it begins.</param>
internal abstract class ConfigNode(Position at)
{
    /// <summary>Where it begins.</summary>
    public Position At { get; } = at;

    /// <summary>What it is called in an error.</summary>
    public abstract string Kind { get; }

    /// <summary>How many nodes it holds, itself included and aliases counted as often as they are used.</summary>
    public virtual int Weight => 1;

    /// <summary>Whether it stands for "not written": <c>~</c>, <c>null</c> or nothing at all.</summary>
    public virtual bool IsNull => false;
}

/// <summary>A single value, variables already substituted.</summary>
/// <param name="at">Where it begins.</param>
/// <param name="text">What it says.</param>
/// <param name="isPlain">Whether it stands there without quotes, so that YAML tools may take it for a number or a
/// truth value.</param>
internal sealed class ConfigScalar(Position at, string text, bool isPlain) : ConfigNode(at)
{
    /// <summary>What it says.</summary>
    public string Text { get; } = text;

    /// <summary>Whether it stands there without quotes, and not by way of a variable.</summary>
    public bool IsPlain { get; } = isPlain;

    /// <inheritdoc/>
    public override string Kind => "a single value";

    /// <inheritdoc/>
    public override bool IsNull => IsPlain && Text is "" or "~" or "null" or "Null" or "NULL";

    /// <summary>
    /// Whether it is the keyword that turns a feature off. JSON has no bare words, so quotes do not matter.
    /// </summary>
    public bool IsOff => Text == "off";
}

/// <summary>A value that was already reported as unreadable: readers fall back without a second error.</summary>
/// <param name="at">Where it begins.</param>
internal sealed class ConfigUnreadable(Position at) : ConfigNode(at)
{
    /// <inheritdoc/>
    public override string Kind => "an unreadable value";
}

/// <summary>A list.</summary>
/// <param name="at">Where it begins.</param>
/// <param name="items">Its elements in their order.</param>
internal sealed class ConfigList(Position at, IReadOnlyList<ConfigNode> items) : ConfigNode(at)
{
    /// <summary>Its elements in their order.</summary>
    public IReadOnlyList<ConfigNode> Items { get; } = items;

    /// <inheritdoc/>
    public override string Kind => "a list";

    /// <inheritdoc/>
    public override int Weight { get; } = 1 + items.Sum(item => item.Weight);
}

/// <summary>One key of a mapping and its value.</summary>
/// <param name="Key">The key, never substituted.</param>
/// <param name="KeyAt">Where the key begins.</param>
/// <param name="Value">What stands behind the colon.</param>
/// <param name="IsKeyPlain">Whether the key stands there without quotes.</param>
internal sealed record ConfigEntry(string Key, Position KeyAt, ConfigNode Value, bool IsKeyPlain = false);

/// <summary>A mapping; no key twice.</summary>
/// <param name="at">Where it begins.</param>
/// <param name="entries">Its entries in their order.</param>
internal sealed class ConfigMap(Position at, IReadOnlyList<ConfigEntry> entries) : ConfigNode(at)
{
    private readonly Dictionary<string, ConfigEntry> _byKey =
        entries.ToDictionary(entry => entry.Key, StringComparer.Ordinal);

    /// <summary>Its entries in their order.</summary>
    public IReadOnlyList<ConfigEntry> Entries { get; } = entries;

    /// <inheritdoc/>
    public override string Kind => "a mapping";

    /// <inheritdoc/>
    public override int Weight { get; } = 1 + entries.Sum(entry => entry.Value.Weight);

    /// <summary>The entry of a key, or <see langword="null"/> when the key is not there.</summary>
    /// <param name="key">Compared exactly.</param>
    public ConfigEntry? Find(string key) => _byKey.GetValueOrDefault(key);

    /// <summary>A copy in which a key has another value; it goes to the end when it was not there.</summary>
    /// <param name="key">Which key.</param>
    /// <param name="value">Its new value; errors about a new key point at it too.</param>
    public ConfigMap With(string key, ConfigNode value)
        => Find(key) is { } old
            ? new(At, [.. Entries.Select(entry => ReferenceEquals(entry, old) ? old with { Value = value } : entry)])
            : new(At, [.. Entries, new(key, value.At, value)]);
}
