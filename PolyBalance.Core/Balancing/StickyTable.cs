using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Http;

namespace PolyBalance.Balancing;

/// <summary>The session that a request belongs to; the default value: none, and no cookie that could be one.</summary>
/// <param name="Home">The session's backend, eligible or not.</param>
/// <param name="IsDue">Whether less than half of its time is left.</param>
/// <param name="WasRefused">
/// Whether cookies came of which none counts: forged, expired, cut short, of another cluster, of a backend that is
/// gone.
/// </param>
internal readonly record struct StickySession(Backend? Home, bool IsDue = false, bool WasRefused = false);

/// <summary>Which cookie stands for which backend of a cluster, be it eligible or not.</summary>
/// <remarks>
/// Immutable; any thread. A pure function of the keys, the cluster's name and the names of its backends: all instances
/// that share these agree, and nobody stores a session.
/// </remarks>
internal sealed class StickyTable
{
    /// <summary>No line is longer than this. Unit: bytes.</summary>
    public const int LineBytesMax = 128 + Limits.CookieNameLengthMax + StickyCookie.Length;

    private readonly ulong[] _ids;      // under the key that signs, in the order of the options
    private readonly FrozenDictionary<ulong, Backend>[] _homes;     // by key
    private readonly byte[] _name;
    private readonly byte[] _lineStart;
    private readonly byte[] _lineEnd;
    private readonly long _age;         // seconds

    /// <summary>Computes every id.</summary>
    /// <param name="cluster">The cluster's options.</param>
    /// <param name="sticky">Those of its sessions.</param>
    /// <param name="keys">What signs and verifies.</param>
    /// <param name="backends">The cluster's backends, in the order of the options.</param>
    public StickyTable(
        ClusterOptions cluster, StickyOptions sticky, SigningKeys keys, ImmutableArray<Backend> backends)
    {
        Keys = keys;
        _ids = new ulong[backends.Length];
        _homes = new FrozenDictionary<ulong, Backend>[keys.Count];
        for (var key = keys.Count - 1; key >= 0; key--)
        {
            var homes = new Dictionary<ulong, Backend>();
            for (var index = 0; index < backends.Length; index++)
            {
                _ids[index] = StickyCookie.IdOf(keys[key], cluster.Name, cluster.Backends[index].Name);
                homes[_ids[index]] = backends[index];
            }

            _homes[key] = homes.ToFrozenDictionary();
        }

        _age = (long)sticky.AgeMax.TotalSeconds;
        _name = Encoding.ASCII.GetBytes(sticky.Cookie);
        _lineStart = Encoding.ASCII.GetBytes($"Set-Cookie: {sticky.Cookie}=");
        _lineEnd = Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture, $"; Path=/; Max-Age={_age}; HttpOnly; SameSite=Lax"));
    }

    /// <summary>What signs and verifies.</summary>
    public SigningKeys Keys { get; }

    /// <summary>
    /// The session of a request: that of the first cookie that counts, among the first few of its name.
    /// </summary>
    /// <param name="fields">The request's fields.</param>
    /// <param name="now">Unit: seconds since 1970, UTC.</param>
    public StickySession Find(Fields fields, long now)
    {
        var looked = 0;
        for (var line = -1; (line = fields.IndexOf(KnownField.Cookie, line + 1)) >= 0;)
        {
            var pairs = fields.Value(line);
            while (Pairs.TryTake(ref pairs, (byte)';', _name, out var value))
            {
                // A hash for each key: what a client can make us compute has a limit.
                if (looked++ == Limits.StickyCookiesMax)
                    return new(null, WasRefused: true);

                if (StickyCookie.TryRead(value, Keys, out var claim)
                    && claim.Expiry > now
                    && _homes[claim.Key].TryGetValue(claim.Id, out var home))
                {
                    return new(home, IsDue: (claim.Expiry - now) * 2 < _age);
                }
            }
        }

        return new(null, WasRefused: looked > 0);
    }

    /// <summary>Writes the field line that begins or renews a session: <c>Set-Cookie: …</c> with its CRLF.</summary>
    /// <param name="index">Its backend, in the order of the options.</param>
    /// <param name="now">Unit: seconds since 1970, UTC.</param>
    /// <param name="isTls">Whether the client speaks TLS to us.</param>
    /// <param name="line">Where it goes: <see cref="LineBytesMax"/> bytes.</param>
    /// <returns>Its length.</returns>
    public int WriteLine(int index, long now, bool isTls, Span<byte> line)
    {
        _lineStart.CopyTo(line);
        var length = _lineStart.Length;
        StickyCookie.Write(Keys[0], _ids[index], now + _age, line[length..]);
        length += StickyCookie.Length;
        _lineEnd.CopyTo(line[length..]);
        length += _lineEnd.Length;
        var rest = isTls ? "; Secure\r\n"u8 : "\r\n"u8;
        rest.CopyTo(line[length..]);
        return length + rest.Length;
    }
}
