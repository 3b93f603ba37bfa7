namespace PolyBalance.Configuration;

/// <summary>What a probe does. Config key <c>kind</c>.</summary>
public enum ProbeKind
{
    /// <summary>A GET whose status code decides.</summary>
    Http,
}

/// <summary>Status codes from one bound to the other, both included.</summary>
/// <param name="First">100 to 599.</param>
/// <param name="Last">Not below <paramref name="First"/>, up to 599.</param>
public readonly record struct StatusRange(int First, int Last)
{
    /// <summary>Whether a status code lies in the range.</summary>
    /// <param name="status">A three-digit status code.</param>
    public bool Contains(int status) => status >= First && status <= Last;
}

/// <summary>How backends are probed. Config section <c>health</c>.</summary>
public sealed record HealthOptions
{
    private const int ThresholdMax = 1_000;
    private const string ExpectExamples = "write codes or ranges, such as `200-399` or `200,204`";

    /// <summary>What applies when the section is absent.</summary>
    public static readonly HealthOptions Default = new();

    /// <summary>What a probe does.</summary>
    public ProbeKind Kind { get; init; } = ProbeKind.Http;

    /// <summary>The request target of an HTTP probe. Starts with a slash.</summary>
    public string Path { get; init; } = "/";

    /// <summary>From the start of one probe to the start of the next, before jitter.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a probe may take; not above <see cref="Interval"/>.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Failures in a row that make a backend unhealthy. At least 1.</summary>
    public int UnhealthyThreshold { get; init; } = 3;

    /// <summary>Passes in a row that make a backend healthy. At least 1.</summary>
    public int HealthyThreshold { get; init; } = 2;

    /// <summary>How far the interval varies in either direction. Unit: percent, 0 to 100.</summary>
    public int JitterPercent { get; init; } = 20;

    /// <summary>Status codes that pass.</summary>
    public EquatableArray<StatusRange> Expect { get; init; } = [new StatusRange(200, 399)];

    /// <summary>Reads the section.</summary>
    /// <param name="section">Where the keys are.</param>
    /// <param name="inherited">What holds for keys that are not written.</param>
    internal static HealthOptions BindFrom(ConfigSection section, HealthOptions inherited)
    {
        var options = new HealthOptions
        {
            Kind = section.Value("kind", inherited.Kind, "http", "http", "What a probe does.", ParseKind),
            Path = section.Text("path", inherited.Path, "request path", "The request target of a probe.",
                text => ConfigName.RequestPath(text, allowed: "?"))!,
            Interval = section.Duration("interval", inherited.Interval, Quantity.Shortest, Quantity.Longest,
                "From the start of one probe to the start of the next, before jitter."),
            Timeout = section.Duration("timeout", inherited.Timeout, Quantity.Shortest, Quantity.Longest,
                "How long a probe may take; not above the interval."),
            UnhealthyThreshold = section.Count("unhealthy_threshold", inherited.UnhealthyThreshold, 1, ThresholdMax,
                "Failures in a row that make a backend unhealthy."),
            HealthyThreshold = section.Count("healthy_threshold", inherited.HealthyThreshold, 1, ThresholdMax,
                "Passes in a row that make a backend healthy."),
            JitterPercent = section.Percent("jitter", inherited.JitterPercent,
                "How far the interval varies in either direction."),
            Expect = section.Value("expect", inherited.Expect, "status ranges", "200-399", "Status codes that pass.",
                ParseExpect),
        };

        if (options.Timeout <= options.Interval)
            return options;

        // A shorter interval alone is an ordinary wish; the inherited timeout gives way to it.
        if (!section.IsReadable("timeout"))
            return options with { Timeout = options.Interval };

        section.Report.Error(section.PositionOf("timeout"),
            $"`timeout` {Quantity.Write(options.Timeout)} is longer than `interval` {Quantity.Write(options.Interval)}",
            $"write `timeout: {Quantity.Write(options.Interval)}` or less");
        return options;
    }

    private static Parsed<ProbeKind> ParseKind(string text) => text switch
    {
        "http" => ProbeKind.Http,
        "tcp" or "grpc" or "exec"
            => new Flaw($"probes of kind `{text}` are not part of this version yet", "write `http`"),
        _ => new Flaw($"{Flaw.Show(text)} is no kind of probe", "write `http`"),
    };

    private static Parsed<EquatableArray<StatusRange>> ParseExpect(string text)
    {
        var ranges = new List<StatusRange>();
        foreach (var part in text.Split(','))
        {
            var bounds = part.Trim().Split('-');
            if (bounds.Length > 2)
                return new Flaw($"{Flaw.Show(part.Trim())} is no range of status codes", ExpectExamples);

            var first = Quantity.Count(bounds[0], 100, 599);
            var last = Quantity.Count(bounds[^1], 100, 599);
            if (first.Flaw is not null || last.Flaw is not null)
                return new Flaw($"{Flaw.Show(part.Trim())} is no status code from 100 to 599", ExpectExamples);
            if (last.Value < first.Value)
                return new Flaw($"the range {Flaw.Show(part.Trim())} runs backwards",
                    $"write `{last.Value}-{first.Value}`");

            ranges.Add(new(first.Value, last.Value));
        }

        return new([.. ranges], null);
    }
}
