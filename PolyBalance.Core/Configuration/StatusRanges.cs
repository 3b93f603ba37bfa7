namespace PolyBalance.Configuration;

/// <summary>Ranges of status codes as the file writes them: <c>200-399</c>, <c>200,204</c>.</summary>
internal static class StatusRanges
{
    private const string Examples = "write codes or ranges, such as `200-399` or `200,204`";

    /// <summary>What <see cref="Parse"/> reads.</summary>
    public static readonly ConfigForm Any = Form("status ranges", 100, new("status_ranges",
        "Write codes from 100 to 599 or ranges, such as `200-399` or `200,204`.", Ranges("[1-5][0-9]{2}")));

    /// <summary>What <see cref="ParseServerErrors"/> reads.</summary>
    public static readonly ConfigForm ServerErrors = Form("status ranges, 500 to 599", 500, new("server_errors",
        "Write codes from 500 to 599 or ranges, such as `502-504`.", Ranges("5[0-9]{2}")));

    /// <summary>What <see cref="ParseUnwanted"/> reads.</summary>
    public static readonly ConfigForm Unwanted = Form("status ranges, 429 or 500 to 599", 429, new("unwanted_statuses",
        "Write 429, or codes or ranges from 500 to 599, such as `502-504` or `429,503`.",
        Ranges("(?:429|5[0-9]{2})")));

    /// <summary>Reads ranges that are separated by commas.</summary>
    /// <param name="text">What the user wrote.</param>
    public static Parsed<EquatableArray<StatusRange>> Parse(string text)
    {
        var ranges = new List<StatusRange>();
        foreach (var part in text.Split(','))
        {
            var bounds = part.Trim().Split('-');
            if (bounds.Length > 2)
                return new Flaw($"{Flaw.Show(part.Trim())} is no range of status codes", Examples);

            var first = Quantity.Count(bounds[0], 100, 599);
            var last = Quantity.Count(bounds[^1], 100, 599);
            if (first.Flaw is not null || last.Flaw is not null)
                return new Flaw($"{Flaw.Show(part.Trim())} is no status code from 100 to 599", Examples);
            if (last.Value < first.Value)
                return new Flaw($"the range {Flaw.Show(part.Trim())} runs backwards",
                    $"write `{last.Value}-{first.Value}`");

            ranges.Add(new(first.Value, last.Value));
        }

        return new([.. ranges], null);
    }

    /// <summary>Reads ranges of answers that speak against a backend: 500 to 599.</summary>
    /// <param name="text">What the user wrote.</param>
    public static Parsed<EquatableArray<StatusRange>> ParseServerErrors(string text)
        => ParseSome(text, range => range.First >= 500,
            "goes beyond 500 to 599: other answers are no fault of a backend",
            "write codes or ranges from 500 to 599, such as `502-504`");

    /// <summary>Reads ranges of answers that another backend may spare a client: 429, and 500 to 599.</summary>
    /// <param name="text">What the user wrote.</param>
    public static Parsed<EquatableArray<StatusRange>> ParseUnwanted(string text)
        => ParseSome(text, range => range.First >= 500 || range is { First: 429, Last: 429 },
            "goes beyond 429 and 500 to 599: to anything else another backend has no other answer",
            "write 429, or codes or ranges from 500 to 599, such as `502-504` or `429,503`");

    private static ConfigForm Form(string words, int min, TextForm text)
        => new(words) { Text = text, Bare = BareValue.Number, Numbers = (min, 599) };

    private static string Ranges(string code) => $@"\s*{code}(?:-{code})?(?:\s*,\s*{code}(?:-{code})?)*\s*";

    private static Parsed<EquatableArray<StatusRange>> ParseSome(
        string text, Func<StatusRange, bool> isAllowed, string flaw, string advice)
    {
        var parsed = Parse(text);
        if (parsed.Flaw is not null)
            return parsed;

        foreach (var range in parsed.Value)
        {
            if (!isAllowed(range))
                return new Flaw($"{Flaw.Show(text)} {flaw}", advice);
        }

        return parsed;
    }
}
