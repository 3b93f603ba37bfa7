using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using PolyBalance.Configuration;

namespace PolyBalance.Balancing;

/// <summary>What a cookie says whose signature is right.</summary>
/// <param name="Key">Index of the key that signed it.</param>
/// <param name="Id">Its backend: <see cref="StickyCookie.IdOf"/> under that key.</param>
/// <param name="Expiry">From when on it does not count. Unit: seconds since 1970, UTC.</param>
internal readonly record struct StickyClaim(int Key, ulong Id, long Expiry);

/// <summary>
/// The value of a session's cookie: version, backend, expiry and signature as one text that says nothing to whoever has
/// no key.
/// </summary>
/// <remarks>
/// Thirty bytes in base64url without padding (RFC 4648 §5), which are forty characters without a spare bit: each value
/// has one spelling. The signature is half of an HMAC-SHA256, 128 bits (RFC 2104 §5). Pure; allocates nothing except in
/// <see cref="IdOf"/>.
/// </remarks>
internal static class StickyCookie
{
    /// <summary>Length of every value. Unit: characters.</summary>
    public const int Length = 40;

    private const byte Version = 1;
    private const int IdBytes = 8;
    private const int ExpiryBytes = 5;      // until the year 36812
    private const int SignedBytes = 1 + IdBytes + ExpiryBytes;
    private const int SignatureBytes = 16;
    private const int TotalBytes = SignedBytes + SignatureBytes;

    // One key, two uses: nobody can pass a result of the one off as a result of the other.
    private static ReadOnlySpan<byte> BackendLabel => "polybalance sticky backend\0"u8;

    private static ReadOnlySpan<byte> CookieLabel => "polybalance sticky cookie\0"u8;

    /// <summary>
    /// What stands for a backend in a cookie: the same wherever key and names are the same, and unknown to every other
    /// cluster.
    /// </summary>
    public static ulong IdOf(ReadOnlySpan<byte> key, string cluster, string backend)
    {
        // No name has a zero in it, so no two pairs of names make the same bytes.
        byte[] names = [.. BackendLabel, .. Encoding.UTF8.GetBytes(cluster), 0, .. Encoding.UTF8.GetBytes(backend)];
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, names, hash);
        return BinaryPrimitives.ReadUInt64BigEndian(hash);
    }

    /// <summary>Writes a value: <see cref="Length"/> characters.</summary>
    public static void Write(ReadOnlySpan<byte> key, ulong id, long expiry, Span<byte> value)
    {
        Span<byte> bytes = stackalloc byte[TotalBytes];
        bytes[0] = Version;
        BinaryPrimitives.WriteUInt64BigEndian(bytes[1..], id);
        Span<byte> seconds = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(seconds, expiry);
        seconds[^ExpiryBytes..].CopyTo(bytes[(1 + IdBytes)..]);
        Sign(key, bytes[..SignedBytes], bytes[SignedBytes..]);
        Base64Url.EncodeToUtf8(bytes, value);
    }

    /// <summary>Reads a value that anybody may have written. Whether it has expired is for the caller to see.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, SigningKeys keys, out StickyClaim claim)
    {
        claim = default;
        Span<byte> bytes = stackalloc byte[TotalBytes];
        if (value.Length != Length
            || Base64Url.DecodeFromUtf8(value, bytes, out _, out var length) != OperationStatus.Done
            || length != TotalBytes
            || bytes[0] != Version)
        {
            return false;
        }

        Span<byte> signature = stackalloc byte[SignatureBytes];
        for (var key = 0; key < keys.Count; key++)
        {
            Sign(keys[key], bytes[..SignedBytes], signature);
            if (!CryptographicOperations.FixedTimeEquals(signature, bytes[SignedBytes..]))
                continue;

            Span<byte> seconds = stackalloc byte[sizeof(long)];
            seconds.Clear();
            bytes.Slice(1 + IdBytes, ExpiryBytes).CopyTo(seconds[^ExpiryBytes..]);
            claim = new(key, BinaryPrimitives.ReadUInt64BigEndian(bytes[1..]),
                BinaryPrimitives.ReadInt64BigEndian(seconds));
            return true;
        }

        return false;
    }

    private static void Sign(ReadOnlySpan<byte> key, ReadOnlySpan<byte> signed, Span<byte> signature)
    {
        Span<byte> message = stackalloc byte[CookieLabel.Length + SignedBytes];
        CookieLabel.CopyTo(message);
        signed.CopyTo(message[CookieLabel.Length..]);
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, message, hash);
        hash[..SignatureBytes].CopyTo(signature);
    }
}
