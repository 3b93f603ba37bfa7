namespace PolyBalance.Configuration;

/// <summary>Ranges of status codes as the file writes them: <c>200-399</c>, <c>200,204</c>.</summary>
internal static class StatusRanges
{
    private const string Examples = "write codes or ranges, such as `200-399` or `200,204`";

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
    {
        var parsed = Parse(text);
        if (parsed.Flaw is not null)
            return parsed;

        foreach (var range in parsed.Value)
        {
            if (range.First < 500)
            {
                return new Flaw($"{Flaw.Show(text)} goes beyond 500 to 599: other answers are no fault of a backend",
                    "write codes or ranges from 500 to 599, such as `502-504`");
            }
        }

        return parsed;
    }
}
