using Microsoft.Extensions.ObjectPool;

namespace PolyBalance.Transport;

/// <summary>Where the memory of all connections comes from: small blocks for heads, large ones for bodies in bulk.</summary>
/// <remarks>Any thread; lock-free. What is rented and returned is counted, so that a test can prove that nothing leaks.</remarks>
internal sealed class BlockPool
{
    private readonly DefaultObjectPool<Block> _small;
    private readonly DefaultObjectPool<Block> _large;
    private readonly int _smallBytes;
    private long _rented;

    /// <summary>Makes a pool.</summary>
    /// <param name="smallBytes">Length of a small block; tests choose tiny ones, so that everything crosses borders.</param>
    /// <param name="largeBytes">Length of a large block.</param>
    public BlockPool(int smallBytes = Limits.SmallBlockBytes, int largeBytes = Limits.LargeBlockBytes)
    {
        _smallBytes = smallBytes;
        _small = new(new Policy(this, smallBytes), Limits.SmallBlocksKept);
        _large = new(new Policy(this, largeBytes), Limits.LargeBlocksKept);
    }

    /// <summary>Blocks rented and not yet returned.</summary>
    public long Rented => Interlocked.Read(ref _rented);

    /// <summary>A block for a head or a small body.</summary>
    public Block RentSmall()
    {
        Interlocked.Increment(ref _rented);
        return _small.Get();
    }

    /// <summary>A block for bodies in bulk, and for a written head of any permitted length.</summary>
    public Block RentLarge()
    {
        Interlocked.Increment(ref _rented);
        return _large.Get();
    }

    /// <summary>Gives a block back. Its owner must not touch it afterwards.</summary>
    public void Return(Block block)
    {
        Interlocked.Decrement(ref _rented);
        (block.Array.Length == _smallBytes ? _small : _large).Return(block);
    }

    private sealed class Policy(BlockPool pool, int length) : PooledObjectPolicy<Block>
    {
        public override Block Create() => new(length, pool);

        public override bool Return(Block obj)
        {
            obj.Reset();
            return true;
        }
    }
}
