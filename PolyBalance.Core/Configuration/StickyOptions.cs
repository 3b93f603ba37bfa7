namespace PolyBalance.Configuration;

/// <summary>Sessions that stay on one backend by a signed cookie. Config section <c>sticky</c>.</summary>
public sealed record StickyOptions
{
    /// <summary>What applies to keys that the section leaves out.</summary>
    public static readonly StickyOptions Default = new();

    private static readonly ConfigForm Cookies = new("cookie name")
    {
        Text = new("cookie_name", "Write letters, digits, `-` and `_`.",
            $"[A-Za-z0-9!#$%&'*+.^_`|~-]{{1,{Limits.CookieNameLengthMax}}}"),
    };

    /// <summary>Name of the cookie.</summary>
    public string Cookie { get; init; } = "X-LB-Backend";

    /// <summary>How long a session stays on its backend. Config key <c>max_age</c>.</summary>
    public TimeSpan AgeMax { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The file with the signing keys; <see langword="null"/> for a key made at start-up.</summary>
    public string? KeyFile { get; init; }

    /// <summary>
    /// What is in that file, once somebody has read it: a key file is no part of the text of a configuration.
    /// </summary>
    public SigningKeys? Keys { get; init; }

    /// <summary>Reads the section.</summary>
    /// <param name="section">Where the keys are.</param>
    internal static StickyOptions BindFrom(ConfigSection section)
    {
        var options = new StickyOptions
        {
            Cookie = section.Text("cookie", Default.Cookie, Cookies, "Name of the cookie.", ParseCookie)!,
            AgeMax = section.Duration("max_age", Default.AgeMax, TimeSpan.FromSeconds(1), Quantity.Longest,
                "How long a session stays on its backend."),
            KeyFile = section.Text("key_file", Default.KeyFile, ConfigName.FileForm, "The file with the signing keys.",
                ConfigName.File),
        };

        if (options.KeyFile is null)
        {
            section.Report.Warning(section.At,
                "cookies are signed with a key that is made at the start: sessions end when this process ends, and "
                + "other instances do not know them", "write `key_file`");
        }

        return options;
    }

    // RFC 6265 §4.1.1: a cookie's name is a token, whose characters RFC 9110 §5.6.2 lists.
    private static Parsed<string> ParseCookie(string text)
        => text.Length is > 0 and <= Limits.CookieNameLengthMax
            && text.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal))
            ? text
            : new Flaw($"{Flaw.Show(text)} is no name of a cookie", "use letters, digits, `-` and `_`");
}
