using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Backends;

internal sealed class ConcurrencyGateTests
{
    [Test]
    public void Without_a_bound_nothing_is_counted()
    {
        var gate = new ConcurrencyGate(max: 0);

        Assert.That((gate.TryEnter(false, out var isCounted), isCounted, gate.Count, gate.IsFull, gate.IsAtMax),
            Is.EqualTo((true, false, 0, false, false)));
    }

    [TestCase(0, 0, 0)]
    [TestCase(5, 0, 5)]
    [TestCase(0, 3, 3)]
    [TestCase(5, 3, 3)]
    [TestCase(3, 5, 3)]
    public void The_smaller_bound_holds(int max, int soft, int expected)
    {
        var gate = new ConcurrencyGate(max);

        gate.SetSoftLimit(soft);

        Assert.That(gate.Limit, Is.EqualTo(expected));
        gate.SetSoftLimit(0);
        Assert.That(gate.Limit, Is.EqualTo(max));
    }

    [Test]
    public void The_soft_bound_yields_where_there_is_nowhere_else_to_go_and_the_hard_one_never()
    {
        var gate = new ConcurrencyGate(max: 2);
        gate.SetSoftLimit(1);

        Assert.That(gate.TryEnter(false, out _), Is.True);
        Assert.That((gate.IsFull, gate.IsAtMax, gate.TryEnter(false, out _)), Is.EqualTo((true, false, false)));
        Assert.That(gate.TryEnter(true, out _), Is.True);
        Assert.That((gate.IsAtMax, gate.TryEnter(true, out var isCounted), isCounted, gate.Count),
            Is.EqualTo((true, false, false, 2)));
        gate.Leave();
        gate.Leave();
        Assert.That((gate.Count, gate.IsFull), Is.EqualTo((0, false)));
    }

    [Test]
    public void Who_began_without_a_bound_is_not_counted_when_there_is_one()
    {
        var backend = SomeBackends.Make(1)[0];
        var first = backend.Begin();
        backend.Protect(exchangesMax: 1, connectsMax: 1);

        var second = backend.Begin();
        Assert.That((first.IsCounted, second.IsCounted, backend.IsFull, backend.InFlight),
            Is.EqualTo((false, true, true, 2)));

        backend.Report(first, new(FailureKind.None, 200, 0, 0));
        Assert.That(backend.IsFull, Is.True);
        backend.Report(second, new(FailureKind.None, 200, 0, 0));
        Assert.That((backend.IsFull, backend.InFlight), Is.EqualTo((false, 0)));
    }

    [Test]
    public async Task Never_more_enter_than_allowed_and_all_places_come_back()
    {
        var gate = new ConcurrencyGate(max: 3);
        var (inside, most) = (0, 0);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var round = 0; round < 20_000; round++)
            {
                if (!gate.TryEnter(round % 2 == 0, out var _))
                    continue;

                var now = Interlocked.Increment(ref inside);
                if (now > Volatile.Read(ref most))
                    Volatile.Write(ref most, now);
                Interlocked.Decrement(ref inside);
                gate.Leave();
            }
        }))).InTime();

        Assert.That(most, Is.InRange(1, 3));
        Assert.That(gate.Count, Is.Zero);
    }
}
