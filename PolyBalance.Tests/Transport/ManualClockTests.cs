using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Transport;

/// <summary>The clock that other tests rely on.</summary>
internal sealed class ManualClockTests
{
    [Test]
    public void Timers_fire_in_the_order_of_their_times_and_see_them()
    {
        var clock = new ManualClock();
        var fired = new List<(string, double)>();
        void Note(object? name) => fired.Add(((string)name!, clock.Elapsed.TotalSeconds));
        using var late = clock.CreateTimer(Note, "late", TimeSpan.FromSeconds(3), Timeout.InfiniteTimeSpan);
        using var often = clock.CreateTimer(Note, "often", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));
        using var never = clock.CreateTimer(Note, "never", TimeSpan.FromSeconds(2), Timeout.InfiniteTimeSpan);
        never.Dispose();

        clock.Advance(TimeSpan.FromSeconds(0.5));
        Assert.That(fired, Is.Empty);
        clock.Advance(TimeSpan.FromSeconds(5.5));

        Assert.That(fired, Is.EqualTo(new[] { ("often", 1.0), ("late", 3.0), ("often", 3.0), ("often", 5.0) }));
        Assert.That(clock.Elapsed, Is.EqualTo(TimeSpan.FromSeconds(6)));
    }

    [Test]
    public void A_timer_may_move_the_clock_further()
    {
        var clock = new ManualClock();
        var fired = new List<double>();
        using var second = clock.CreateTimer(
            _ => fired.Add(clock.Elapsed.TotalSeconds), null, TimeSpan.FromSeconds(5), Timeout.InfiniteTimeSpan);
        using var first = clock.CreateTimer(
            _ => clock.Advance(TimeSpan.FromSeconds(10)), null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);

        clock.Advance(TimeSpan.FromSeconds(1));

        Assert.That(fired, Is.EqualTo(new[] { 5.0 }));
        Assert.That(clock.Elapsed, Is.EqualTo(TimeSpan.FromSeconds(11)));
        Assert.That(clock.GetUtcNow().Offset, Is.EqualTo(TimeSpan.Zero));
    }
}
