namespace PolyBalance.Transport.Linux;

/// <summary>
/// Blocks that lie ready for a ring: the kernel takes one when bytes arrive, so a connection that waits holds none. See
/// io_uring_register(2), IORING_REGISTER_PBUF_RING.
/// </summary>
/// <remarks>
/// Belongs to one loop. A block that was taken is replaced at once, so the stock is full between turns.
/// </remarks>
internal sealed unsafe class BufferStock : IDisposable
{
    private const uint RegisterOperation = 22;
    private const int PrivateAnonymous = 0x22;
    private const int ReadWrite = 3;
    private const int EntryBytes = 16;
    private const int TailOffset = 14;

    private readonly BlockPool _pool;
    private readonly Func<BlockPool, Block> _rent;
    private readonly Block?[] _blocks;
    private readonly byte* _entries;
    private ushort _tail;

    private BufferStock(ushort group, int count, BlockPool pool, Func<BlockPool, Block> rent)
    {
        Group = group;
        _pool = pool;
        _rent = rent;
        _blocks = new Block?[count];
        _entries = Libc.Map(null, (nuint)(count * EntryBytes), ReadWrite, PrivateAnonymous, -1, 0);
    }

    /// <summary>The number by which receives ask for it.</summary>
    public ushort Group { get; }

    /// <summary>Registers a stock with a ring and fills it.</summary>
    /// <param name="ring">Whose.</param>
    /// <param name="group">Its number.</param>
    /// <param name="count">How many blocks; a power of two.</param>
    /// <param name="pool">Where blocks come from.</param>
    /// <param name="rent">Which ones.</param>
    /// <param name="stock">The stock; null when the kernel refused.</param>
    /// <returns>0, or the error code.</returns>
    public static int TryMake(
        Ring ring, ushort group, int count, BlockPool pool, Func<BlockPool, Block> rent, out BufferStock? stock)
    {
        stock = new(group, count, pool, rent);
        var registration = new Registration
        {
            Address = (ulong)stock._entries, Entries = (uint)count, Group = group,
        };
        var error = ring.Register(RegisterOperation, &registration, 1);
        if (error != 0)
        {
            stock.Dispose();
            stock = null;
            return error;
        }

        pool.CountStock(count);
        for (var buffer = 0; buffer < count; buffer++)
            stock.Lay(buffer);
        return 0;
    }

    /// <summary>The block that the kernel has filled with so many bytes.</summary>
    public Block Take(int buffer, int length)
    {
        var block = _blocks[buffer]!;
        Lay(buffer);
        block.Fill(length);
        return block;
    }

    /// <summary>A buffer that the kernel took and did not use.</summary>
    public void PutBack(int buffer) => Offer(buffer, _blocks[buffer]!);

    /// <summary>Gives all blocks back. The ring is closed.</summary>
    public void Dispose()
    {
        for (var buffer = 0; buffer < _blocks.Length; buffer++)
        {
            if (_blocks[buffer] is not { } block)
                continue;

            _pool.CountStock(-1);
            _pool.Return(block);
            _blocks[buffer] = null;
        }

        Libc.Unmap(_entries, (nuint)(_blocks.Length * EntryBytes));
    }

    private void Lay(int buffer)
    {
        var block = _rent(_pool);
        _blocks[buffer] = block;
        Offer(buffer, block);
    }

    private void Offer(int buffer, Block block)
    {
        // struct io_uring_buf: address, length, number. The tail of the ring shares its memory with the first entry.
        var entry = _entries + (_tail & (_blocks.Length - 1)) * EntryBytes;
        *(ulong*)entry = (ulong)block.Address;
        *(uint*)(entry + 8) = (uint)block.Array.Length;
        *(ushort*)(entry + 12) = (ushort)buffer;
        _tail++;
        Volatile.Write(ref *(ushort*)(_entries + TailOffset), _tail);
    }

    private struct Registration
    {
        public ulong Address;
        public uint Entries;
        public ushort Group;
        public ushort Flags;
        public fixed ulong Reserved[3];
    }
}
