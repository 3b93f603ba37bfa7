namespace PolyBalance.Transport;

/// <summary>
/// Where the memory of all connections comes from: small blocks for heads, large ones for bodies in bulk.
/// </summary>
/// <remarks>
/// Any thread; nobody waits. What is out can be counted, so that a test can prove that nothing leaks.
/// </remarks>
internal sealed class BlockPool
{
    private readonly LanePool<Block> _small;
    private readonly LanePool<Block> _large;
    private readonly int _smallBytes;

    /// <summary>Makes a pool.</summary>
    /// <param name="smallBytes">
    /// Length of a small block; tests choose tiny ones, so that everything crosses borders.
    /// </param>
    /// <param name="largeBytes">Length of a large block.</param>
    public BlockPool(int smallBytes = Limits.SmallBlockBytes, int largeBytes = Limits.LargeBlockBytes)
    {
        _smallBytes = smallBytes;
        _small = new(() => new(smallBytes), TryReset, Limits.SmallBlocksKept);
        _large = new(() => new(largeBytes), TryReset, Limits.LargeBlocksKept);
    }

    /// <summary>Blocks rented and not yet returned. Exact while nothing moves.</summary>
    public long Rented => _small.Rented + _large.Rented;

    /// <summary>A block for a head or a small body.</summary>
    public Block RentSmall() => _small.Get();

    /// <summary>A block for bodies in bulk, and for a written head of any permitted length.</summary>
    public Block RentLarge() => _large.Get();

    /// <summary>Gives a block back. Its owner must not touch it afterwards.</summary>
    public void Return(Block block) => (block.Array.Length == _smallBytes ? _small : _large).Return(block);

    private static bool TryReset(Block block)
    {
        block.Reset();
        return true;
    }
}
