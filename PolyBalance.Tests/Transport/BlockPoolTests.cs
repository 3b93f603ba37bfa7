using System.Buffers;
using NUnit.Framework;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Transport;

internal sealed class BlockPoolTests
{
    [Test]
    public void Blocks_have_their_lengths_and_are_counted()
    {
        var pool = new BlockPool(smallBytes: 64, largeBytes: 256);
        var (small, large) = (pool.RentSmall(), pool.RentLarge());

        Assert.That((small.Array.Length, large.Array.Length), Is.EqualTo((64, 256)));
        Assert.That(pool.Rented, Is.EqualTo(2));
        pool.Return(large);
        pool.Return(small);
        Assert.That(pool.Rented, Is.Zero);
        Assert.That(pool.RentSmall(), Is.SameAs(small));
        Assert.That(pool.RentLarge(), Is.SameAs(large));
    }

    [Test]
    public void A_returned_block_remembers_nothing()
    {
        var pool = new BlockPool(smallBytes: 64);
        var (first, second) = (pool.RentSmall(), pool.RentSmall());
        first.Fill(40);
        second.Fill(1);
        second.Follow(first);
        Assert.That((first.Room, first.NextBlock, second.RunningIndex), Is.EqualTo((24, second, 40L)));

        pool.Return(first);
        var again = pool.RentSmall();

        Assert.That(again, Is.SameAs(first));
        Assert.That((again.Filled, again.Room, again.NextBlock), Is.EqualTo((0, 64, default(Block))));
        Assert.That(again.Memory.Length, Is.Zero);
    }

    [Test]
    public void Blocks_in_a_row_are_one_sequence()
    {
        var pool = new BlockPool(smallBytes: 64);
        Block? first = null, last = null;
        for (var index = 0; index < 5; index++)
        {
            var block = pool.RentSmall();
            block.Array.AsSpan(0, 10).Fill((byte)index);
            block.Fill(10);
            block.Follow(last);
            last = block;
            first ??= block;
        }

        var sequence = new ReadOnlySequence<byte>(first!, 5, last!, 5);

        Assert.That(sequence.Length, Is.EqualTo(40));
        Assert.That(sequence.Slice(4, 2).ToArray(), Is.EqualTo(new byte[] { 0, 1 }));
    }

    [Test]
    public async Task Threads_never_share_a_block()
    {
        var pool = new BlockPool(smallBytes: 64);
        var flows = new Task<bool>[4];
        for (var flow = 0; flow < flows.Length; flow++)
        {
            var mark = (byte)(flow + 1);
            flows[flow] = Task.Run(() =>
            {
                var isMine = true;
                for (var round = 0; round < 20_000; round++)
                {
                    var block = round % 8 == 0 ? pool.RentLarge() : pool.RentSmall();
                    block.Array.AsSpan().Fill(mark);
                    isMine &= block.Filled == 0 && block.Array.AsSpan().IndexOfAnyExcept(mark) < 0;
                    block.Fill(1);
                    pool.Return(block);
                }

                return isMine;
            });
        }

        Assert.That(await Task.WhenAll(flows), Is.All.True);
        Assert.That(pool.Rented, Is.Zero);
    }
}
