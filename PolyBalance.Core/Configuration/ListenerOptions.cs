using System.Net;

namespace PolyBalance.Configuration;

/// <summary>One address where client connections are accepted. An element of <c>listeners</c>.</summary>
public sealed record ListenerOptions
{
    private static readonly string[] Exposable = ["healthz", "readyz", "metrics"];

    private static readonly ConfigForm Networks = new("networks")
    {
        Text = new("network", "Write a network such as `10.0.0.0/8`, or a single IP address.",
            "[0-9A-Fa-f:.]+(?:/[0-9]{1,3})?"),
    };

    /// <summary>Where to listen.</summary>
    public required Address Bind { get; init; }

    /// <summary>Which of <c>healthz</c>, <c>readyz</c> and <c>metrics</c> this listener answers itself.</summary>
    public EquatableArray<string> Expose { get; init; }

    /// <summary>Peers whose <c>X-Forwarded-*</c> fields are believed; a single address is a network of one.</summary>
    public EquatableArray<IPNetwork> TrustedProxies { get; init; }

    /// <summary>Whether responses tell those peers where the time went: the field <c>Server-Timing</c>.</summary>
    public bool SendsServerTiming { get; init; }

    /// <summary>Reads the section.</summary>
    /// <param name="section">Where the keys are.</param>
    internal static ListenerOptions? BindFrom(ConfigSection section)
    {
        // Only a flag or variable may leave the port to the operating system: who reads a file wants to know it.
        var portMin = section.PositionOf("bind").Line == 0 ? 0 : 1;
        var bind = section.Required("bind", Address.ListenerForm,
            "Where clients connect: host:port, [v6]:port, :port or unix:/path.",
            "write `bind: \":8000\"`", text => Address.ParseListener(text, portMin));
        var expose = section.List("expose", ConfigForm.OneOf(Exposable),
            "Local answers on this listener that the admin listener gives too.", ParseExpose);
        var trustedProxies = section.List("trusted_proxies", Networks,
            "Peers whose X-Forwarded-* fields are believed.", ParseNetwork);
        var sendsServerTiming = section.Value("server_timing", false, ConfigForm.Truth, "false",
            "Whether responses tell these peers in Server-Timing where the time went.", ProxyOptions.ParseTruth);
        if (sendsServerTiming && trustedProxies.Count == 0)
        {
            section.Report.Warning(section.PositionOf("server_timing"),
                "`server_timing` tells nobody: only peers in `trusted_proxies` are told", "write `trusted_proxies`");
        }

        return bind is null ? null : new()
        {
            Bind = bind,
            Expose = expose,
            TrustedProxies = trustedProxies,
            SendsServerTiming = sendsServerTiming,
        };
    }

    private static Parsed<string> ParseExpose(string text)
        => Exposable.Contains(text, StringComparer.Ordinal)
            ? text
            : new Flaw($"{Flaw.Show(text)} cannot be exposed", NearestName.Suggest(text, Exposable, "possible are"));

    private static Parsed<IPNetwork> ParseNetwork(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var host = Address.ParseHost(slash < 0 ? text : text[..slash]);
        if (host.Flaw is not null || !IPAddress.TryParse(host.Value, out var address))
            return new Flaw($"{Flaw.Show(text)} is no network",
                "write one such as `10.0.0.0/8`, or a single IP address");

        var bits = address.GetAddressBytes().Length * 8;
        if (slash < 0)
            return new IPNetwork(address, bits);

        var prefix = Quantity.Count(text[(slash + 1)..], 0, bits);
        if (prefix.Flaw is not null)
            return new Flaw($"{Flaw.Show(text)} is no network", $"write a prefix length from 0 to {bits}");

        var network = new IPNetwork(Masked(address, prefix.Value), prefix.Value);
        return network.BaseAddress.Equals(address)
            ? network
            : new Flaw($"{Flaw.Show(text)} has bits beyond its prefix", $"write `{network}`");
    }

    private static IPAddress Masked(IPAddress address, int prefix)
    {
        var bytes = address.GetAddressBytes();
        for (var bit = prefix; bit < bytes.Length * 8; bit++)
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));

        return new(bytes);
    }
}
