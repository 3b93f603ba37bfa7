namespace PolyBalance.Http;

/// <summary>
/// Checks <c>uri-host [ ":" port ]</c>: the value of Host and the authority of an absolute-form target. RFC 9110 §7.2.
/// </summary>
/// <remarks>
/// Stricter than the grammar where recipients disagree: the host may not be empty, a colon needs a port behind it,
/// a port is at most 65535, a registered name has no comma, an IP literal is an IPv6 address without zone.
/// </remarks>
internal static class Authority
{
    /// <summary>Whether the bytes are a host and, after a colon, a port.</summary>
    public static bool IsValid(ReadOnlySpan<byte> authority)
    {
        if (authority.IsEmpty)
            return false;

        if (authority[0] == '[')
        {
            var close = authority.IndexOf((byte)']');
            return close > 0 && IsIPv6(authority[1..close]) && IsPortOrNothing(authority[(close + 1)..]);
        }

        var end = authority.IndexOfAnyExcept(Ascii.RegisteredNameBytes);
        while (end >= 0 && Ascii.StartsWithPercentEncoding(authority[end..]))
        {
            var next = authority[(end + 3)..].IndexOfAnyExcept(Ascii.RegisteredNameBytes);
            end = next < 0 ? next : end + 3 + next;
        }

        return end < 0 || (end > 0 && IsPortOrNothing(authority[end..]));
    }

    private static bool IsPortOrNothing(ReadOnlySpan<byte> rest)
        => rest.IsEmpty
            || (rest[0] == ':' && rest.Length <= 6
                && Ascii.TryParseDecimal(rest[1..], out var port) && port <= ushort.MaxValue);

    // RFC 3986 §3.2.2: eight groups, of which one run may be written `::`, and the last two as an IPv4 address.
    private static bool IsIPv6(ReadOnlySpan<byte> address)
    {
        var gap = address.IndexOf("::"u8);
        if (gap < 0)
            return CountGroups(address, mayEndInIPv4: true) == 8;

        var before = CountGroups(address[..gap], mayEndInIPv4: false);
        var after = CountGroups(address[(gap + 2)..], mayEndInIPv4: true);
        return before >= 0 && after >= 0 && before + after <= 7;
    }

    /// <returns>The number of 16-bit groups, 0 for no bytes, or -1 when one is malformed.</returns>
    private static int CountGroups(ReadOnlySpan<byte> groups, bool mayEndInIPv4)
    {
        var count = 0;
        while (!groups.IsEmpty)
        {
            var colon = groups.IndexOf((byte)':');
            var group = colon < 0 ? groups : groups[..colon];
            if (IsGroup(group))
                count++;
            else if (colon < 0 && mayEndInIPv4 && IsIPv4(group))
                count += 2;
            else
                return -1;

            if (colon == groups.Length - 1)
                return -1;      // a single colon at the end
            groups = colon < 0 ? default : groups[(colon + 1)..];
        }

        return count;
    }

    private static bool IsGroup(ReadOnlySpan<byte> group)
    {
        foreach (var digit in group)
        {
            if (Ascii.HexValue(digit) < 0)
                return false;
        }

        return group.Length is >= 1 and <= 4;
    }

    private static bool IsIPv4(ReadOnlySpan<byte> address)
    {
        for (var part = 1; part <= 4; part++)
        {
            var end = part < 4 ? address.IndexOf((byte)'.') : address.Length;
            if (end is < 1 or > 3 || (end > 1 && address[0] == '0')
                || !Ascii.TryParseDecimal(address[..end], out var value) || value > byte.MaxValue)
            {
                return false;
            }

            address = part < 4 ? address[(end + 1)..] : default;
        }

        return true;
    }
}
