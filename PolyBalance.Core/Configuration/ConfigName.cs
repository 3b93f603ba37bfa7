namespace PolyBalance.Configuration;

/// <summary>The rules for names and paths that more than one section uses.</summary>
internal static class ConfigName
{
    private const int LengthMax = 63;

    /// <summary>What <see cref="Parse"/> reads, as a text.</summary>
    public static readonly TextForm Text = new("name",
        $"Write at most {LengthMax} letters, digits, `-`, `_`, `.` and `:`, the first one a letter or a digit.",
        $"[A-Za-z0-9][A-Za-z0-9_.:-]{{0,{LengthMax - 1}}}");

    /// <summary>What <see cref="Parse"/> reads.</summary>
    public static readonly ConfigForm Form = new("name") { Text = Text };

    /// <summary>What <see cref="File"/> reads.</summary>
    public static readonly ConfigForm FileForm = new("path")
    {
        Text = new("file_path", "Write a path such as `/etc/polybalance/token`.", @"[^\u0000-\u001f]+"),
    };

    /// <summary>A path that says where a file is whatever folder the gateway runs in.</summary>
    public static readonly ConfigForm AbsolutePathForm = new("absolute path")
    {
        Text = new("absolute_path", "Write a path that begins with `/`.", @"/[^\u0000-\u001f]*"),
    };

    /// <summary>Reads a name that ends up in logs, metrics and admin paths as it is.</summary>
    /// <param name="text">What the user wrote.</param>
    public static Parsed<string> Parse(string text)
        => text.Length is > 0 and <= LengthMax && char.IsAsciiLetterOrDigit(text[0])
            && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':')
            ? text
            : new Flaw($"{Flaw.Show(text)} is no name",
                $"use at most {LengthMax} letters, digits, `-`, `_`, `.` and `:`");

    /// <summary>Reads the path of a file.</summary>
    /// <param name="text">What the user wrote.</param>
    public static Parsed<string> File(string text)
        => text.Length > 0 && !text.Any(char.IsControl)
            ? text
            : new Flaw($"{Flaw.Show(text)} is no path of a file", "write one such as `/etc/polybalance/token`");

    /// <summary>Reads the path of a request, or the start of one.</summary>
    /// <param name="text">What the user wrote.</param>
    /// <param name="allowed">Characters that this place allows besides those of a path.</param>
    public static Parsed<string> RequestPath(string text, string allowed)
    {
        // RFC 3986 §3.3: what a path consists of, percent-encoded characters included.
        var wrong = text.Where(c => !char.IsAsciiLetterOrDigit(c)
            && !"/-._~%!$&'()*+,;=:@".Contains(c, StringComparison.Ordinal)
            && !allowed.Contains(c, StringComparison.Ordinal)).Take(1).ToList();
        if (text.StartsWith('/'))
        {
            return wrong.Count == 0
                ? text
                : new Flaw($"{Flaw.Show($"{wrong[0]}")} cannot be in a path", "percent-encode it, or leave it out");
        }

        if (text.IndexOf("://", StringComparison.Ordinal) is >= 0 and var slashes)
        {
            var path = text.IndexOf('/', slashes + 3);
            return new Flaw($"{Flaw.Show(text)} is a URL, not a path", $"write `{(path < 0 ? "/" : text[path..])}`");
        }

        return new Flaw($"the path {Flaw.Show(text)} does not start with `/`",
            wrong.Count == 0 ? $"write `/{text}`" : "write the start of a path, such as `/v1/`");
    }
}
