using NUnit.Framework;
using PolyBalance.Host;
using PolyBalance.Host.Telemetry;

namespace PolyBalance.Tests.Host;

internal sealed class AccessBuffersTests
{
    [Test]
    public void Buffers_are_used_again()
    {
        var buffers = new AccessBuffers();
        var first = Rent(buffers, 0);
        Assert.That(first.TryAppend(new JsonAccessFormat(), Sample.Exchange, out _), Is.True);
        buffers.Return(first);
        var again = Rent(buffers, 1);

        Assert.That(again, Is.SameAs(first));
        Assert.That((again.LineCount, again.HasLines, again.Next), Is.EqualTo((0, false, (AccessBuffer?)null)));
    }

    [Test]
    public void No_more_than_the_bound_is_out_at_once()
    {
        var buffers = new AccessBuffers();
        var rented = new List<AccessBuffer>();
        while (buffers.TryRent(0, out var buffer))
            rented.Add(buffer);

        Assert.That(rented.Sum(buffer => (long)buffer.Length), Is.EqualTo(AccessBuffers.RentedBytesMax));
        buffers.Return(rented[0]);
        Assert.That(buffers.TryRent(AccessBuffers.UsualLength + 1, out _), Is.False);
        Assert.That(Rent(buffers, AccessBuffers.UsualLength), Is.SameAs(rented[0]));
    }

    [Test]
    public void What_is_longer_than_usual_is_as_long_as_it_must_be_and_not_kept()
    {
        var buffers = new AccessBuffers();
        var large = Rent(buffers, AccessBuffers.UsualLength + 1);
        buffers.Return(large);

        Assert.That(large.Length, Is.EqualTo(AccessBuffers.UsualLength + 1));
        Assert.That(Rent(buffers, AccessBuffers.UsualLength + 1), Is.Not.SameAs(large));
    }

    [Test]
    public void All_lanes_can_begin_a_buffer_and_most_of_the_memory_is_left_for_full_ones()
        => Assert.That(AccessBuffers.Lanes * AccessBuffers.UsualLength, Is.LessThan(AccessBuffers.RentedBytesMax / 2));

    private static AccessBuffer Rent(AccessBuffers buffers, int length)
    {
        Assert.That(buffers.TryRent(length, out var buffer), Is.True);
        return buffer!;
    }
}
