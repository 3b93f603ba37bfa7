using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace PolyBalance.Configuration;

/// <summary>
/// Secrets that sign what clients keep for us. The first signs and all verify, so that a new one can take the place of
/// an old one without a client noticing.
/// </summary>
/// <remarks>Immutable. No message shows a key, and neither does <see cref="ToString"/>.</remarks>
public sealed class SigningKeys : IEquatable<SigningKeys>
{
    private const string Remedy = "make one with `openssl rand -base64 32`";

    private readonly byte[][] _keys;

    internal SigningKeys(params byte[][] keys) => _keys = keys;

    /// <summary>How many there are; at least one.</summary>
    public int Count => _keys.Length;

    /// <summary>One of them.</summary>
    /// <param name="index">0 is the one that signs.</param>
    internal ReadOnlySpan<byte> this[int index] => _keys[index];

    /// <summary>
    /// Reads the text of a file with keys: one per line, in visible ASCII characters; empty lines and lines that begin
    /// with <c>#</c> do not count.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="file">The file's name in messages.</param>
    /// <param name="keys">The keys, when nothing is wrong.</param>
    /// <param name="errors">Everything that is wrong, in the order of the file.</param>
    public static bool TryParse(
        string text, string file, [NotNullWhen(true)] out SigningKeys? keys, out IReadOnlyList<ConfigError> errors)
    {
        ArgumentNullException.ThrowIfNull(text);
        var report = new ConfigReport();
        var lines = text.Split('\n');
        var found = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var line = 1; line <= lines.Length; line++)
        {
            var key = lines[line - 1].Trim();
            if (key.Length == 0 || key[0] == '#')
                continue;

            var column = lines[line - 1].IndexOf(key[0], StringComparison.Ordinal) + 1;
            if (Check(key, new(file, line, column), report) && !found.TryAdd(key, line))
            {
                report.Error(new(file, line, column),
                    string.Create(CultureInfo.InvariantCulture, $"the same key is at line {found[key]} already"),
                    "remove one of the two");
            }
            else if (found.Count == Limits.SigningKeysMax + 1 && found.ContainsValue(line))
            {
                report.Error(new(file, line, column), $"there are more than {Limits.SigningKeysMax} keys",
                    "remove the oldest, which is the last");
            }
        }

        if (found.Count == 0 && !report.HasErrors)
            report.Error(new(file, 1, 1), "there is no key in this file", Remedy);

        errors = report.Errors;
        keys = report.HasErrors ? null : new([.. found.OrderBy(key => key.Value).Select(key => ToBytes(key.Key))]);
        return keys is not null;
    }

    /// <inheritdoc/>
    public bool Equals(SigningKeys? other)
    {
        var areEqual = other?.Count == Count;
        for (var index = 0; areEqual && index < Count; index++)
            areEqual = _keys[index].AsSpan().SequenceEqual(other!._keys[index]);
        return areEqual;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as SigningKeys);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var key in _keys)
            hash.AddBytes(key);
        return hash.ToHashCode();
    }

    /// <summary>How many there are, and nothing else.</summary>
    public override string ToString() => Count == 1 ? "1 key" : $"{Count} keys";

    private static byte[] ToBytes(string key) => Encoding.ASCII.GetBytes(key);

    // What is in the line is never shown: it may be most of a secret.
    private static bool Check(string key, Position at, ConfigReport report)
    {
        for (var index = 0; index < key.Length; index++)
        {
            if (key[index] is > ' ' and <= '~')
                continue;

            report.Error(at with { Column = at.Column + index },
                "a key consists of visible ASCII characters, and here is another one", Remedy);
            return false;
        }

        if (key.Length < Limits.SigningKeyLengthMin)
            report.Error(at, $"this key has fewer than {Limits.SigningKeyLengthMin} characters", Remedy);
        return key.Length >= Limits.SigningKeyLengthMin;
    }
}
