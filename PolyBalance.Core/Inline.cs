using System.Threading.Tasks.Sources;

namespace PolyBalance;

/// <summary>What the data path awaits goes on right where it completes: on the thread that moves the bytes.</summary>
/// <remarks>
/// A captured synchronization context would send each continuation through a queue. Whoever awaits something foreign (a
/// task) still comes back to where he was.
/// </remarks>
internal static class Inline
{
    /// <summary>The same flags without the wish to come back to a captured context.</summary>
    public static ValueTaskSourceOnCompletedFlags Of(ValueTaskSourceOnCompletedFlags flags)
        => flags & ~ValueTaskSourceOnCompletedFlags.UseSchedulingContext;
}
