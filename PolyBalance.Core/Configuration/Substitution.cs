using System.Text;

namespace PolyBalance.Configuration;

/// <summary>
/// Puts environment variables into values: <c>${NAME}</c>, <c>${NAME:-default}</c>; <c>$${</c> stands for <c>${</c>.
/// </summary>
internal static class Substitution
{
    // A variable may hold a certificate, but not a library.
    private const int TextLengthMax = 64 * 1024;

    /// <summary>Replaces every variable; what a variable holds is not looked at again.</summary>
    /// <param name="text">A value as the file has it.</param>
    /// <param name="environment">Looks up a variable.</param>
    /// <param name="flaw">Told of each variable that is missing and of each malformed mention, with the index in the
    /// text.</param>
    /// <returns>The value, or <see langword="null"/> when there was a flaw.</returns>
    public static string? Apply(string text, Func<string, string?> environment, Action<int, Flaw> flaw)
    {
        var result = new StringBuilder();
        var isSound = true;
        for (var i = 0; i < text.Length;)
        {
            if (string.CompareOrdinal(text, i, "$${", 0, 3) == 0)
            {
                result.Append("${");
                i += 3;
            }
            else if (string.CompareOrdinal(text, i, "${", 0, 2) == 0)
            {
                var value = Look(text, i, environment, out var end);
                if (value.Flaw is { } wrong)
                {
                    flaw(i, wrong);
                    isSound = false;
                }

                result.Append(value.Value);
                i = end;
            }
            else
            {
                result.Append(text[i++]);
            }

            if (result.Length <= TextLengthMax)
                continue;

            flaw(0, new("the value is too long once its variables are put in",
                $"keep it below {TextLengthMax} characters"));
            return null;
        }

        return isSound ? result.ToString() : null;
    }

    private static Parsed<string> Look(string text, int start, Func<string, string?> environment, out int end)
    {
        var close = text.IndexOf('}', start);
        end = close < 0 ? text.Length : close + 1;
        if (close < 0)
            return new Flaw("`${` without `}`", "write `${NAME}`, or `$${` for the characters themselves");

        var inside = text[(start + 2)..close];
        var mark = inside.IndexOf(":-", StringComparison.Ordinal);
        var name = mark < 0 ? inside : inside[..mark];
        if (!IsName(name))
            return new Flaw($"{Flaw.Show(name)} is no name of a variable", "write `${NAME}` or `${NAME:-default}`");

        // As in a shell, `:-` also replaces a variable that is set to nothing.
        var value = environment(name);
        if (mark >= 0 && string.IsNullOrEmpty(value))
            return inside[(mark + 2)..];

        return value is null
            ? new Flaw($"the environment variable `{name}` is not set", $"set it, or write `${{{name}:-default}}`")
            : value;
    }

    private static bool IsName(string name)
        => name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
}
