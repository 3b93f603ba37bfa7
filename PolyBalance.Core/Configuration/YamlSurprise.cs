using System.Text.RegularExpressions;

namespace PolyBalance.Configuration;

/// <summary>
/// Bare words that YAML tools do not take for text. Where text is expected they are refused, so that all tools agree.
/// </summary>
internal static partial class YamlSurprise
{
    private static readonly string[] TruthValues = ["y", "n", "yes", "no", "on", "off", "true", "false"];

    /// <summary>
    /// What is surprising about an unquoted text, or <see langword="null"/> when every YAML tool reads the text
    /// itself.
    /// </summary>
    /// <param name="text">As written, without quotes.</param>
    public static Flaw? Find(string text)
    {
        var kind = TruthValues.Contains(text, StringComparer.OrdinalIgnoreCase) ? "a truth value"
            : Number().IsMatch(text) ? "a number"
            : Timestamp().IsMatch(text) ? "a date"
            : null;
        return kind is null ? null
            : new($"YAML tools take {Flaw.Show(text)} for {kind}", $"put it in quotes: `\"{text}\"`");
    }

    // YAML 1.1: decimal, octal, hexadecimal, binary, floating point, and base 60 as in 22:30.
    [GeneratedRegex(
        @"^[-+]?(0x[0-9a-f_]+|0o[0-7]+|0b[01_]+"
        + @"|[0-9][0-9_]*(:[0-5]?[0-9])*(\.[0-9_]*)?(e[-+]?[0-9]+)?|\.[0-9]+|\.(inf|nan))$",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Number();

    [GeneratedRegex(@"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?$",
        RegexOptions.CultureInvariant)]
    private static partial Regex Timestamp();
}
