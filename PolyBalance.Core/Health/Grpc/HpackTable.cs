using System.Text;

namespace PolyBalance.Health.Grpc;

/// <summary>A decoded field line of HTTP/2. RFC 9113 §8.2.</summary>
/// <param name="Name">Its name, as sent.</param>
/// <param name="Value">Its value, as sent.</param>
internal readonly record struct HpackField(byte[] Name, byte[] Value)
{
    // RFC 7541 §4.1.
    private const int Overhead = 32;

    /// <summary>What it counts for in a table and in a list of fields. Unit: bytes.</summary>
    public int Cost => Name.Length + Value.Length + Overhead;
}

/// <summary>The static table, and behind it the dynamic one that the backend fills. RFC 7541 §2.3.</summary>
/// <remarks>Owned by one connection.</remarks>
internal sealed class HpackTable
{
    /// <summary>How large a dynamic table is unless <c>SETTINGS</c> say otherwise; ours do not. Unit: bytes.</summary>
    public const int BytesMax = 4_096;

    // RFC 7541 appendix A, from index 1 on.
    private static readonly HpackField[] Fixed =
    [
        Of(":authority"), Of(":method", "GET"), Of(":method", "POST"), Of(":path", "/"), Of(":path", "/index.html"),
        Of(":scheme", "http"), Of(":scheme", "https"), Of(":status", "200"), Of(":status", "204"),
        Of(":status", "206"), Of(":status", "304"), Of(":status", "400"), Of(":status", "404"), Of(":status", "500"),
        Of("accept-charset"), Of("accept-encoding", "gzip, deflate"), Of("accept-language"), Of("accept-ranges"),
        Of("accept"), Of("access-control-allow-origin"), Of("age"), Of("allow"), Of("authorization"),
        Of("cache-control"), Of("content-disposition"), Of("content-encoding"), Of("content-language"),
        Of("content-length"), Of("content-location"), Of("content-range"), Of("content-type"), Of("cookie"),
        Of("date"), Of("etag"), Of("expect"), Of("expires"), Of("from"), Of("host"), Of("if-match"),
        Of("if-modified-since"), Of("if-none-match"), Of("if-range"), Of("if-unmodified-since"), Of("last-modified"),
        Of("link"), Of("location"), Of("max-forwards"), Of("proxy-authenticate"), Of("proxy-authorization"),
        Of("range"), Of("referer"), Of("refresh"), Of("retry-after"), Of("server"), Of("set-cookie"),
        Of("strict-transport-security"), Of("transfer-encoding"), Of("user-agent"), Of("vary"), Of("via"),
        Of("www-authenticate"),
    ];

    // The newest first, as they are counted.
    private readonly List<HpackField> _dynamic = [];
    private int _bytes;
    private int _bytesMax = BytesMax;

    /// <summary>Fields of both tables together: the highest index.</summary>
    public int Count => Fixed.Length + _dynamic.Count;

    /// <summary>Looks a field up. False: there is none with this index.</summary>
    /// <param name="index">1-based, as sent.</param>
    /// <param name="field">What was found.</param>
    public bool TryGet(int index, out HpackField field)
    {
        if (index < 1 || index > Count)
        {
            field = default;
            return false;
        }

        field = index <= Fixed.Length ? Fixed[index - 1] : _dynamic[index - Fixed.Length - 1];
        return true;
    }

    /// <summary>Adds a field, evicting the oldest ones to make room; one that is too large empties it.</summary>
    public void Add(in HpackField field)
    {
        Evict(_bytesMax - field.Cost);
        if (field.Cost > _bytesMax)
            return;

        _dynamic.Insert(0, field);
        _bytes += field.Cost;
    }

    /// <summary>The backend says how much it uses of what it may. False: it may not so much.</summary>
    public bool TryResize(int bytesMax)
    {
        if (bytesMax > BytesMax)
            return false;

        _bytesMax = bytesMax;
        Evict(bytesMax);
        return true;
    }

    private void Evict(int bytesMax)
    {
        while (_dynamic.Count > 0 && _bytes > bytesMax)
        {
            _bytes -= _dynamic[^1].Cost;
            _dynamic.RemoveAt(_dynamic.Count - 1);
        }
    }

    private static HpackField Of(string name, string value = "")
        => new(Encoding.ASCII.GetBytes(name), Encoding.ASCII.GetBytes(value));
}
