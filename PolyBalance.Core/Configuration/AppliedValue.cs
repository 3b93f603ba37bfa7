namespace PolyBalance.Configuration;

/// <summary>One value that applies, as the file would write it.</summary>
/// <param name="Key">Its key, relative to its <see cref="AppliedGroup"/>: <c>health.interval</c>.</param>
/// <param name="Value">The value; empty where the key has none.</param>
internal readonly record struct AppliedValue(string Key, string Value);

/// <summary>The values of one thing that has a name of its own.</summary>
/// <param name="Kind">What it is: <c>listener</c>, <c>route</c>, <c>cluster</c>, <c>backend</c>, or <c>gateway</c>
/// for what is there once.</param>
/// <param name="Name">Its name, unique among its kind.</param>
/// <param name="Values">In a fixed order.</param>
internal sealed record AppliedGroup(string Kind, string Name, IReadOnlyList<AppliedValue> Values)
{
    /// <summary>How messages call it: <c>backend web/web-1</c>.</summary>
    public string Title => Name.Length == 0 ? Kind : $"{Kind} {Name}";
}
