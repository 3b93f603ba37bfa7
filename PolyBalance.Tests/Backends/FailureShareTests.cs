using NUnit.Framework;
using PolyBalance.Backends;

namespace PolyBalance.Tests.Backends;

internal sealed class FailureShareTests
{
    [Test]
    public void The_first_sample_is_where_counting_begins()
    {
        var share = new FailureShare();

        share.Observe(0, window: 100, attempts: 5_000, failures: 5_000);

        Assert.That((share.Attempts, share.Failures, share.Exceeds(1, 1)), Is.EqualTo((0L, 0L, false)));
    }

    [Test]
    public void What_is_older_than_the_window_is_forgotten()
    {
        var share = new FailureShare();
        share.Observe(0, 100, 0, 0);
        for (var now = 10; now <= 50; now += 10)
            share.Observe(now, 100, now, now);
        Assert.That((share.Attempts, share.Failures), Is.EqualTo((50L, 50L)));

        // No failure any more: their share falls, and in the end there is none.
        for (var now = 60; now <= 100; now += 10)
            share.Observe(now, 100, now, 50);
        Assert.That((share.Attempts, share.Failures), Is.EqualTo((100L, 50L)));
        for (var now = 110; now <= 150; now += 10)
            share.Observe(now, 100, now, 50);
        Assert.That((share.Attempts, share.Failures), Is.EqualTo((100L, 0L)));
    }

    [Test]
    public void Looking_more_often_changes_nothing()
    {
        var (often, seldom) = (new FailureShare(), new FailureShare());
        for (var now = 0; now <= 400; now++)
        {
            often.Observe(now, 100, now, now / 2);
            if (now % 10 != 0)
                continue;

            seldom.Observe(now, 100, now, now / 2);
            Assert.That((often.Attempts, often.Failures), Is.EqualTo((seldom.Attempts, seldom.Failures)));
        }
    }

    [Test]
    public void A_pause_longer_than_the_window_leaves_one_glance_to_compare_with()
    {
        var share = new FailureShare();
        share.Observe(0, 100, 0, 0);
        share.Observe(50, 100, 30, 30);

        share.Observe(1_000, 100, 40, 40);

        Assert.That(share.Attempts, Is.LessThanOrEqualTo(10));
    }

    [TestCase(50, 20, 20, 10, true)]
    [TestCase(50, 20, 19, 19, false)]
    [TestCase(50, 20, 100, 49, false)]
    [TestCase(100, 1, 7, 7, true)]
    [TestCase(0, 1, 100, 100, false)]
    public void A_share_is_of_so_many_attempts_at_least(
        int percent, int attemptsMin, long attempts, long failures, bool expected)
    {
        var share = new FailureShare();
        share.Observe(0, 100, 0, 0);
        share.Observe(10, 100, attempts, failures);

        Assert.That(share.Exceeds(percent, attemptsMin), Is.EqualTo(expected));
    }
}
