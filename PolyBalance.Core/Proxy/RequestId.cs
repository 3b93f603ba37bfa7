using System.Buffers.Text;
using System.Security.Cryptography;

namespace PolyBalance.Proxy;

/// <summary>Names one exchange in every log it passes through: <c>X-Request-Id</c>.</summary>
/// <remarks>
/// 32 hexadecimal digits: 12 of this process (random), 10 of the connection, 10 of the exchange on it. Unique without a
/// random number or a shared counter per request. An id is a name, not a secret. Owned by its exchange.
/// </remarks>
internal sealed class RequestId
{
    /// <summary>The longest id that is taken over from a trusted peer. Unit: bytes.</summary>
    public const int BytesMax = 128;

    private const int OwnBytes = 32;
    private static readonly ulong Process = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)) >> 16;

    private readonly byte[] _bytes = new byte[BytesMax];
    private int _length;

    /// <summary>The id; empty before the exchange has one.</summary>
    public ReadOnlySpan<byte> Span => _bytes.AsSpan(0, _length);

    /// <summary>The same, to keep for the duration of a record.</summary>
    public ReadOnlyMemory<byte> Memory => _bytes.AsMemory(0, _length);

    /// <summary>Makes a new id.</summary>
    /// <param name="connection">Counts connections.</param>
    /// <param name="exchange">Counts exchanges on that connection.</param>
    public void Make(long connection, long exchange)
    {
        Write((long)Process, _bytes.AsSpan(0, 12));
        Write(connection, _bytes.AsSpan(12, 10));
        Write(exchange, _bytes.AsSpan(22, 10));
        _length = OwnBytes;
    }

    /// <summary>Takes over the id that a trusted peer gave. False when it is none that we want to repeat.</summary>
    public bool TryTake(ReadOnlySpan<byte> given)
    {
        if (given.IsEmpty || given.Length > BytesMax || given.ContainsAnyExceptInRange((byte)'!', (byte)'~'))
            return false;

        given.CopyTo(_bytes);
        _length = given.Length;
        return true;
    }

    /// <summary>Forgets the id.</summary>
    public void Clear() => _length = 0;

    private static void Write(long value, Span<byte> digits)
    {
        var mask = (1L << (digits.Length * 4)) - 1;
        Utf8Formatter.TryFormat(value & mask, digits, out _, new('x', (byte)digits.Length));
    }
}
