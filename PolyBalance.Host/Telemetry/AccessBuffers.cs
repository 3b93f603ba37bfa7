using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace PolyBalance.Host.Telemetry;

/// <summary>The memory of the lines that wait to be written: bounded, and reused.</summary>
/// <remarks>Any thread. Asked once per buffer, not once per line.</remarks>
internal sealed class AccessBuffers
{
    /// <summary>All buffers that are out together. Unit: bytes of text.</summary>
    public const int RentedBytesMax = 8 * 1024 * 1024;

    /// <summary>
    /// How many lanes there are; a power of two, and twice as many as processors: two busy threads seldom share one.
    /// </summary>
    public static readonly int Lanes = (int)BitOperations.RoundUpToPowerOf2((uint)Environment.ProcessorCount * 2);

    /// <summary>
    /// A usual buffer: 64 KiB, less where there are so many lanes that those which are begun would take more than a
    /// quarter of what may be out. Unit: bytes.
    /// </summary>
    public static readonly int UsualLength = Math.Clamp(RentedBytesMax / 4 / Lanes, 4 * 1024, 64 * 1024);

    // No line is shorter than its JSON keys, or than what the combined format puts between two values.
    private const int LineBytesMin = 64;
    private const int IdleBytesMax = 2 * 1024 * 1024;

    private readonly Lock _gate = new();        // guards _idle, and changes of _rentedBytes
    private readonly Stack<AccessBuffer> _idle = new();
    private int _rentedBytes;

    /// <summary>Rents an empty buffer. False when too many are out.</summary>
    /// <param name="length">What it must hold at least. Unit: bytes.</param>
    /// <param name="buffer">Of the usual length, or for one line that is longer.</param>
    public bool TryRent(int length, [NotNullWhen(true)] out AccessBuffer? buffer)
    {
        buffer = null;
        var rented = Math.Max(length, UsualLength);

        // A look before the lock: when the output stands still, every line comes here.
        if (rented > RentedBytesMax - Volatile.Read(ref _rentedBytes))
            return false;

        lock (_gate)
        {
            if (rented > RentedBytesMax - _rentedBytes)
                return false;

            _rentedBytes += rented;
            if (rented == UsualLength)
                _idle.TryPop(out buffer);
        }

        buffer ??= new(rented, linesMax: rented == UsualLength ? UsualLength / LineBytesMin : 1);
        return true;
    }

    /// <summary>Takes a buffer back, whatever it holds.</summary>
    public void Return(AccessBuffer buffer)
    {
        buffer.Clear();
        lock (_gate)
        {
            _rentedBytes -= buffer.Length;
            if (buffer.Length == UsualLength && _idle.Count < IdleBytesMax / UsualLength)
                _idle.Push(buffer);
        }
    }
}
