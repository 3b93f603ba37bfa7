using System.Net;

namespace PolyBalance.Configuration;

/// <summary>How the names of backends are looked up. Config section <c>dns</c>.</summary>
public sealed record DnsOptions
{
    private const int PortDefault = 53;

    private static readonly TimeSpan TimeoutMax = TimeSpan.FromSeconds(10);

    private static readonly ConfigForm ServerForm = new("address of a name server")
    {
        Text = new("name_server", "Write an IP address, with or without a port: `10.0.0.10:53`.",
            $@"[0-9.]+(?::{Address.PortPattern})?|\[[0-9A-Fa-f:.]+\](?::{Address.PortPattern})?|[0-9A-Fa-f:.]+"),
    };

    /// <summary>What applies when the section is absent.</summary>
    public static readonly DnsOptions Default = new();

    /// <summary>Name servers with their ports, the first to be asked first; empty: those of resolv.conf.</summary>
    public EquatableArray<Address> Servers { get; init; } = [];

    /// <summary>How long one try at one server may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A name is not looked up again sooner, however short its answer holds.</summary>
    public TimeSpan TimeToLiveMin { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// A name is looked up again after that long, however long its answer holds; not below <see cref="TimeToLiveMin"/>.
    /// </summary>
    public TimeSpan TimeToLiveMax { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long addresses stay in use that a name does not have any more, while there are no others.</summary>
    public TimeSpan Hold { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Reads the section.</summary>
    /// <param name="section">Where the keys are.</param>
    internal static DnsOptions BindFrom(ConfigSection section)
    {
        var options = new DnsOptions
        {
            Servers = section.List("servers", ServerForm,
                "Name servers to ask, in turn; none: those of /etc/resolv.conf.", ParseServer),
            Timeout = section.Duration("timeout", Default.Timeout, Quantity.Shortest, TimeoutMax,
                "How long one try at one server may take."),
            TimeToLiveMin = section.Duration("min_ttl", Default.TimeToLiveMin, Quantity.Shortest, Quantity.Longest,
                "A name is not looked up again sooner."),
            TimeToLiveMax = section.Duration("max_ttl", Default.TimeToLiveMax, Quantity.Shortest, Quantity.Longest,
                "A name is looked up again after that long at the latest."),
            Hold = section.Duration("hold", Default.Hold, Quantity.Shortest, Quantity.Longest,
                "How long addresses stay in use that are gone, while there are no others."),
        };

        if (options.Servers.Count > Limits.NameServersMax)
        {
            section.Report.Error(section.PositionOf("servers"),
                $"there are {options.Servers.Count} name servers",
                $"keep {Limits.NameServersMax} at most: they are asked one after the other");
        }

        CheckOrder(section, options);
        return options;
    }

    // One of the two may be a default.
    private static void CheckOrder(ConfigSection section, DnsOptions options)
    {
        if (options.TimeToLiveMin <= options.TimeToLiveMax
            || section.IsUnreadable("min_ttl") || section.IsUnreadable("max_ttl"))
            return;

        var key = section.IsWritten("min_ttl") ? "min_ttl" : "max_ttl";
        section.Report.Error(section.PositionOf(key),
            $"`min_ttl` ({Quantity.Write(options.TimeToLiveMin)}) is longer than `max_ttl` "
            + $"({Quantity.Write(options.TimeToLiveMax)})",
            key == "min_ttl"
                ? $"write `min_ttl: {Quantity.Write(options.TimeToLiveMax)}` or less, or a longer `max_ttl`"
                : $"write `max_ttl: {Quantity.Write(options.TimeToLiveMin)}` or more, or a shorter `min_ttl`");
    }

    private static Parsed<Address> ParseServer(string text)
    {
        const string Remedy = "write an IP address, such as `10.0.0.10` or `10.0.0.10:53`";
        if (!text.StartsWith('[') && IPAddress.TryParse(text, out var alone) && IsWhole(text, alone))
            return Address.Tcp(alone.ToString(), PortDefault);

        var bracket = text.StartsWith('[') && text.EndsWith(']') ? text + $":{PortDefault}" : text;
        var parsed = Address.ParseListener(bracket, portMin: 1);
        if (parsed.Flaw is { } flaw)
            return flaw with { Remedy = Remedy };

        return IPAddress.TryParse(parsed.Value.Host, out _)
            ? parsed
            : new Flaw($"the name server {Flaw.Show(text)} is no IP address", Remedy);
    }

    // `53` and `10.1` are addresses to the library, and to nobody else.
    private static bool IsWhole(string text, IPAddress address)
        => text.Contains(':', StringComparison.Ordinal) || address.ToString() == text;
}
