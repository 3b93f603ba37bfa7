namespace PolyBalance.Configuration;

/// <summary>What a probe does. Config key <c>kind</c>.</summary>
public enum ProbeKind
{
    /// <summary>A GET whose answer decides.</summary>
    Http,

    /// <summary>A connect that succeeds or not.</summary>
    Tcp,

    /// <summary>A call of <c>grpc.health.v1.Health/Check</c> over HTTP/2 in cleartext.</summary>
    Grpc,

    /// <summary>A program whose exit code decides; only where <c>allow_exec</c> allows it.</summary>
    Exec,
}

/// <summary>A field that a probe sends, or looks for in an answer.</summary>
/// <param name="Name">A field name; compared in any case.</param>
/// <param name="Value">Its value; empty in an expectation: any value.</param>
public sealed record ProbeField(string Name, string Value);

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
/// <remarks>Two checks are the same when their options are equal: a reload that changes one starts it afresh.</remarks>
public sealed record HealthOptions
{
    private const int ThresholdMax = 1_000;

    /// <summary>What applies when the section is absent.</summary>
    public static readonly HealthOptions Default = new();

    /// <summary>What a probe does.</summary>
    public ProbeKind Kind { get; init; } = ProbeKind.Http;

    /// <summary>From the start of one probe to the start of the next, before jitter.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a probe may take, connecting included; not above <see cref="Interval"/>.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Failures in a row that make a backend unhealthy. At least 1.</summary>
    public int UnhealthyThreshold { get; init; } = 3;

    /// <summary>Passes in a row that make a backend healthy. At least 1.</summary>
    public int HealthyThreshold { get; init; } = 2;

    /// <summary>How far the interval varies in either direction. Unit: percent, 0 to 100.</summary>
    public int JitterPercent { get; init; } = 20;

    /// <summary>The request target of an HTTP probe. Starts with a slash.</summary>
    public string Path { get; init; } = "/";

    /// <summary>
    /// What Host or <c>:authority</c> says; <see langword="null"/>: the address of the backend. HTTP and gRPC.
    /// </summary>
    public string? Host { get; init; }

    /// <summary>Fields that an HTTP probe sends besides its own.</summary>
    public EquatableArray<ProbeField> Fields { get; init; }

    /// <summary>Status codes of an HTTP answer that pass.</summary>
    public EquatableArray<StatusRange> Expect { get; init; } = [new StatusRange(200, 399)];

    /// <summary>
    /// Status codes of an HTTP answer by which a backend says that it works and wants no new work; none by default.
    /// Config key <c>drain_on</c>.
    /// </summary>
    public EquatableArray<StatusRange> DrainOn { get; init; }

    /// <summary>A field that an HTTP answer must have to pass; <see langword="null"/>: none in particular.</summary>
    public ProbeField? ExpectField { get; init; }

    /// <summary>
    /// What the content of an HTTP answer must hold in its first 64 KiB to pass; <see langword="null"/>: anything.
    /// </summary>
    public string? ExpectBody { get; init; }

    /// <summary>Whose health a gRPC probe asks for; empty: that of the whole backend.</summary>
    public string Service { get; init; } = "";

    /// <summary>The absolute path of the program that an exec probe runs; <see langword="null"/>: none.</summary>
    public string? Command { get; init; }

    /// <summary>The arguments of that program, each as it is: no shell reads them.</summary>
    public EquatableArray<string> Args { get; init; }

    /// <summary>Reads the section.</summary>
    /// <param name="section">Where the keys are.</param>
    /// <param name="inherited">What holds for keys that are not written.</param>
    internal static HealthOptions BindFrom(ConfigSection section, HealthOptions inherited)
    {
        var kind = section.Value("kind", inherited.Kind, HealthReads.KindForm, "http", "What a probe does.",
            HealthReads.Kind);

        // What one kind of probe is told means nothing to another.
        var own = kind == inherited.Kind ? inherited : Default;
        var options = new HealthOptions
        {
            Kind = kind,
            Path = section.Text("path", own.Path, HealthReads.TargetForm, "http: the request target of a probe.",
                text => ConfigName.RequestPath(text, allowed: "?"))!,
            Interval = section.Duration("interval", inherited.Interval, Quantity.Shortest, Quantity.Longest,
                "From the start of one probe to the start of the next, before jitter."),
            Timeout = section.Duration("timeout", inherited.Timeout, Quantity.Shortest, Quantity.Longest,
                "How long a probe may take, connecting included; not above the interval."),
            UnhealthyThreshold = section.Count("unhealthy_threshold", inherited.UnhealthyThreshold, 1, ThresholdMax,
                "Failures in a row that make a backend unhealthy."),
            HealthyThreshold = section.Count("healthy_threshold", inherited.HealthyThreshold, 1, ThresholdMax,
                "Passes in a row that make a backend healthy."),
            JitterPercent = section.Percent("jitter", inherited.JitterPercent,
                "How far the interval varies in either direction."),
            Expect = section.Value("expect", own.Expect, StatusRanges.Any, "200-399", "http: status codes that pass.",
                StatusRanges.Parse),
            DrainOn = section.Value("drain_on", own.DrainOn, StatusRanges.Any, null,
                "http: status codes that pass too, and say that the backend wants no new work.", StatusRanges.Parse),
            Host = section.Text("host", own.Host, HealthReads.HostForm,
                "http, grpc: what Host or :authority says; by default the address of the backend.", HealthReads.Host),
            Fields = HealthReads.Fields(section, own.Fields),
            ExpectField = section.Word("expect_field", own.ExpectField, HealthReads.ExpectFieldForm, null,
                "http: a field that an answer must have to pass.", HealthReads.ExpectField),
            ExpectBody = section.Text("expect_body", own.ExpectBody, HealthReads.ExpectBodyForm,
                "http: what the first 64 KiB of an answer's content must hold to pass.", HealthReads.ExpectBody),
            Service = section.Text("service", own.Service.Length == 0 ? null : own.Service, HealthReads.ServiceForm,
                "grpc: whose health is asked for; by default that of the whole backend.", HealthReads.Service) ?? "",
            Command = section.Text("command", own.Command, ConfigName.AbsolutePathForm,
                "exec: the program that is run.", HealthReads.Command),
            Args = HealthReads.Args(section, own.Args),
        };

        HealthReads.CheckKind(section, options);
        HealthReads.CheckDrain(section, options);
        if (options.Timeout <= options.Interval || section.IsUnreadable("interval"))
            return options;

        // A shorter interval alone is an ordinary wish; the inherited timeout gives way to it.
        if (!section.IsReadable("timeout"))
            return options with { Timeout = options.Interval };

        section.Report.Error(section.PositionOf("timeout"),
            $"`timeout` {Quantity.Write(options.Timeout)} is longer than `interval` {Quantity.Write(options.Interval)}",
            $"write `timeout: {Quantity.Write(options.Interval)}` or less");
        return options;
    }
}
