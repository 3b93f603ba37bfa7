using System.Globalization;

namespace PolyBalance.Configuration;

/// <summary>How spans are sent. Config key <c>protocol</c>.</summary>
public enum TracingProtocol
{
    /// <summary>OTLP over gRPC, which is HTTP/2; port 4317 by convention.</summary>
    Grpc,

    /// <summary>OTLP as protobuf over HTTP/1.1; port 4318 by convention.</summary>
    Http,
}

/// <summary>Traces: which exchanges are recorded, and where they are sent. Config section <c>tracing</c>.</summary>
public sealed record TracingOptions
{
    /// <summary>All exchanges, in the unit of <see cref="SamplePerMillion"/>.</summary>
    public const int EveryExchange = 1_000_000;

    private const string Variables = "OTEL_EXPORTER_OTLP_ENDPOINT, else this machine";

    private static readonly TracingOptions Default = new();

    private static readonly (string, TracingProtocol)[] Protocols =
        [("grpc", TracingProtocol.Grpc), ("http", TracingProtocol.Http)];

    private static readonly ConfigForm ProtocolForm = ConfigForm.OneOf("grpc", "http");

    private static readonly ConfigForm CollectorForm = new("http or https URL")
    {
        Text = new("collector", "Write a URL such as `http://127.0.0.1:4317`.", "[Hh][Tt][Tt][Pp][Ss]?://.+"),
    };

    private static readonly ConfigForm SampleForm = new("percentage, 0% to 100%, up to 4 decimals")
    {
        Text = new("sample", "Write a percentage from 0% to 100%, such as `0.1%`.", @"[0-9]*\.?[0-9]*%"),
    };

    /// <summary>
    /// Where an OTLP collector listens; null: where the standard variables say, else on this machine.
    /// </summary>
    public Uri? Collector { get; init; }

    /// <summary>How spans are sent; null: as the standard variables say, else gRPC.</summary>
    public TracingProtocol? Protocol { get; init; }

    /// <summary>How many of a million exchanges are recorded whose client does not decide.</summary>
    public int SamplePerMillion { get; init; } = EveryExchange / 100;

    /// <summary>The same as the file writes it: <c>0.1%</c>.</summary>
    public string Sample => Write(SamplePerMillion);

    /// <summary>Whether peers in <c>trusted_proxies</c> decide which exchanges are recorded.</summary>
    public bool TrustsParent { get; init; } = true;

    /// <summary>What traces call the gateway; null: what the standard variables say, else <c>polybalance</c>.</summary>
    public string? Name { get; init; }

    /// <summary>Reads the section.</summary>
    /// <param name="section">Where the keys are.</param>
    internal static TracingOptions BindFrom(ConfigSection section) => new()
    {
        Collector = section.Value<Uri?>("endpoint", null, CollectorForm, null,
            $"Where an OTLP collector listens; not written: {Variables}.", ParseCollector),
        Protocol = section.Value<TracingProtocol?>("protocol", null, ProtocolForm, null,
            "How spans are sent; not written: OTEL_EXPORTER_OTLP_PROTOCOL, else grpc.", ParseProtocol),
        SamplePerMillion = section.Value("sample", Default.SamplePerMillion, SampleForm,
            Write(Default.SamplePerMillion), "How many exchanges are recorded whose client does not decide.",
            ParseSample),
        TrustsParent = section.Value("trust_parent", Default.TrustsParent, ConfigForm.Truth, "true",
            "Whether peers in trusted_proxies decide which exchanges are recorded.", ProxyOptions.ParseTruth),
        Name = section.Text("service_name", null, ConfigName.Form,
            "What traces call the gateway; not written: OTEL_SERVICE_NAME, else polybalance.", ConfigName.Parse),
    };

    private static string Write(int perMillion)
        => string.Create(CultureInfo.InvariantCulture, $"{perMillion / 10_000m:0.####}%");

    // Uri would leave blanks at both ends out.
    private static Parsed<Uri?> ParseCollector(string text)
        => text == text.Trim() && Uri.TryCreate(text, UriKind.Absolute, out var collector)
            && collector.Scheme is "http" or "https"
            && collector.Host.Length > 0 && collector.UserInfo.Length == 0 && collector.Fragment.Length == 0
            ? new Parsed<Uri?>(collector, null)
            : new Flaw($"{Flaw.Show(text)} is no URL of a collector", "write one such as `http://127.0.0.1:4317`");

    private static Parsed<TracingProtocol?> ParseProtocol(string text)
    {
        foreach (var (name, value) in Protocols)
        {
            if (text == name)
                return new(value, null);
        }

        return new Flaw($"{Flaw.Show(text)} is no protocol",
            NearestName.Suggest(text, ["grpc", "http"], "write one of"));
    }

    private static Parsed<int> ParseSample(string text)
    {
        var isNumber = decimal.TryParse(text.TrimEnd('%'), NumberStyles.AllowDecimalPoint,
            CultureInfo.InvariantCulture, out var percent);
        if (isNumber && !text.EndsWith('%'))
            return new Flaw($"the percentage {Flaw.Show(text)} has no sign", $"write `{text}%`");

        var perMillion = isNumber && percent <= 100 ? percent * 10_000 : -1;
        return perMillion >= 0 && perMillion == decimal.Truncate(perMillion) && text.IndexOf('%') == text.Length - 1
            ? (int)perMillion
            : new Flaw($"{Flaw.Show(text)} is not a share of all exchanges",
                "write a number from `0%` to `100%` with at most four decimals, such as `0.1%`");
    }
}
