using System.Net;
using System.Text;
using PolyBalance.Configuration;
using PolyBalance.Http;

namespace PolyBalance.Admin;

/// <summary>Whether somebody may ask or order what he does.</summary>
/// <remarks>Pure. Web pages can make a browser send requests to a loopback address: these are told by their Origin.
/// </remarks>
internal static class OperatorCheck
{
    /// <summary>Whether the request shows the token, where one is needed. RFC 6750 §2.1.</summary>
    public static bool MayAsk(AdminOptions? options, Fields fields)
    {
        if (options is null or { TokenFile: null })
            return true;
        if (options.Token is not { } token || fields.IsRepeated(KnownField.Authorization))
            return false;

        var shown = fields.First(KnownField.Authorization);
        var scheme = "bearer "u8;
        return shown.Length > scheme.Length && Http.Ascii.EqualsIgnoreCase(shown[..scheme.Length], scheme)
            && token.Matches(shown[scheme.Length..].Trim((byte)' '));
    }

    /// <summary>
    /// Whether an order may come from where it says. No Origin: it comes from no browser. Without a token the name of
    /// the origin must also be one that nobody can point at us: a literal address, or localhost. RFC 6454 §7.
    /// </summary>
    public static bool MayOrder(AdminOptions? options, Fields fields, ReadOnlySpan<byte> host)
    {
        var at = IndexOf(fields, "Origin"u8);
        if (at < 0)
            return true;

        var origin = Encoding.Latin1.GetString(fields.Value(at));
        var authority = Encoding.Latin1.GetString(host);
        if (!origin.Equals($"http://{authority}", StringComparison.OrdinalIgnoreCase))
            return false;

        return options is { TokenFile: not null } || IsUnmistakable(authority);
    }

    /// <summary>Whether content is said to be JSON.</summary>
    public static bool IsJson(Fields fields)
    {
        var type = Encoding.Latin1.GetString(fields.First(KnownField.ContentType)).Split(';')[0].Trim();
        return type.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            && !fields.IsRepeated(KnownField.ContentType);
    }

    private static bool IsUnmistakable(string authority)
    {
        var end = authority.EndsWith(']') ? -1 : authority.LastIndexOf(':');
        var name = end < 0 ? authority : authority[..end];
        return name.Equals("localhost", StringComparison.OrdinalIgnoreCase) || IPAddress.TryParse(name, out _);
    }

    private static int IndexOf(Fields fields, ReadOnlySpan<byte> name)
    {
        for (var index = 0; index < fields.Count; index++)
        {
            if (Http.Ascii.EqualsIgnoreCase(fields.Name(index), name))
                return index;
        }

        return -1;
    }
}
