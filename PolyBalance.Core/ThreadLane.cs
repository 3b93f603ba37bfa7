using System.Numerics;

namespace PolyBalance;

/// <summary>
/// Numbers threads, so that each finds again what it left: memory and connections that are warm in its own core.
/// </summary>
/// <remarks>
/// A hint, not a guarantee: two threads may share a lane, and everything in a lane may be taken by anybody. The threads
/// that complete socket operations are made one after the other, so their numbers fall into different lanes.
/// </remarks>
internal static class ThreadLane
{
    /// <summary>How many lanes there are; a power of two.</summary>
    public static readonly int Count = (int)BitOperations.RoundUpToPowerOf2((uint)Environment.ProcessorCount * 2);

    /// <summary>The lane of the current thread.</summary>
    public static int Own => Environment.CurrentManagedThreadId & (Count - 1);
}
