using System.Text;
using PolyBalance.Configuration;
using PolyBalance.Http;

namespace PolyBalance.Balancing;

/// <summary>
/// What requests have in common that are to go to the same backend, as a hash. Pure; computed for clusters that hash
/// and for no others.
/// </summary>
/// <remarks>Values are taken as sent: percent-encodings are not decoded.</remarks>
internal sealed class AffinityKey(HashKey key)
{
    private readonly byte[] _name = Encoding.ASCII.GetBytes(key.Name);

    /// <summary>The key of a client.</summary>
    /// <param name="address">The client's address, as the access log shows it; may be empty.</param>
    /// <returns>A hash, or 0 when there is no address, as on a Unix socket.</returns>
    public static ulong OfClient(string address) => address.Length == 0 ? 0 : NotZero(StableHash.Of(address));

    /// <summary>The key that the request itself carries.</summary>
    /// <returns>
    /// A hash, or 0 when the request does not have what the configuration asks for, or has it empty: then the client's
    /// address is the key.
    /// </returns>
    public ulong Of(RequestHead request)
    {
        var value = key.Kind switch
        {
            HashKeyKind.Path => request.Path,
            HashKeyKind.Host => request.Host,
            HashKeyKind.Field => FieldValue(request.Fields),
            HashKeyKind.Cookie => CookieValue(request.Fields),
            HashKeyKind.Query => Parameter(request.Query, (byte)'&'),
            _ => default,
        };
        return value.IsEmpty ? 0
            : NotZero(key.Kind == HashKeyKind.Host ? StableHash.OfLowerCase(value) : StableHash.Of(value));
    }

    // 0 means that there is no key.
    private static ulong NotZero(ulong hash) => hash == 0 ? 1 : hash;

    private ReadOnlySpan<byte> FieldValue(Fields fields)
    {
        for (var line = 0; line < fields.Count; line++)
        {
            if (Http.Ascii.EqualsIgnoreCase(fields.Name(line), _name))
                return fields.Value(line);
        }

        return default;
    }

    // One line is usual, more are read in their order.
    private ReadOnlySpan<byte> CookieValue(Fields fields)
    {
        for (var line = -1; (line = fields.IndexOf(KnownField.Cookie, line + 1)) >= 0;)
        {
            if (Parameter(fields.Value(line), (byte)';') is { IsEmpty: false } value)
                return value;
        }

        return default;
    }

    // The value of the first pair with the name.
    private ReadOnlySpan<byte> Parameter(ReadOnlySpan<byte> pairs, byte separator)
        => Pairs.TryTake(ref pairs, separator, _name, out var value) ? value : default;
}
