using NUnit.Framework;
using PolyBalance.Backends;

namespace PolyBalance.Tests.Backends;

internal sealed class RampTests
{
    [TestCase(0, 1)]
    [TestCase(99, 1)]
    [TestCase(100, 2)]
    [TestCase(550, 6)]
    [TestCase(999, 10)]
    [TestCase(1_000, 10)]
    [TestCase(1_000_000, 10)]
    [TestCase(-5, 1, TestName = "a clock that is read a little earlier")]
    public void A_tenth_first_and_a_tenth_more_each_tenth_of_the_time(int after, int expected)
        => Assert.That(new Ramp(5_000, Duration: 1_000).TenthsAt(5_000 + after), Is.EqualTo(expected));

    [Test]
    public void Without_a_ramp_it_is_all()
        => Assert.That((Ramp.None.TenthsAt(0), new Ramp(7, Duration: 0).TenthsAt(7)), Is.EqualTo((10, 10)));

    // "u": unknown, "d": down, "s": in service. '1' where the ramp begins with a tenth, 'f' where the share is full.
    [TestCase("s", false, "f", TestName = "who is there at the start has its full share")]
    [TestCase("us", false, "-f", TestName = "also when its first probe decides a little later")]
    [TestCase("s", true, "1", TestName = "who is added later starts slowly")]
    [TestCase("us", true, "-1")]
    [TestCase("ds", false, "-1", TestName = "who was down at the start starts slowly")]
    [TestCase("sds", false, "f-1", TestName = "who was down starts slowly")]
    [TestCase("sus", false, "f-1")]
    [TestCase("ss", true, "12", TestName = "the ramp goes on while it serves")]
    [TestCase("sds", true, "1-1", TestName = "who goes down starts anew")]
    public void A_slow_start_begins_with_each_return(string life, bool isAddedLater, string expected)
    {
        var start = new SlowStart { Duration = 10 };
        if (isAddedLater)
            start.NoteAddedLater();
        var shares = "";
        for (var now = 0; now < life.Length; now++)
        {
            start.Observe(life[now] == 's', life[now] == 'd', now);
            var tenths = start.TenthsAt(now);
            shares += life[now] != 's' ? "-" : tenths == Ramp.Full ? "f" : $"{tenths}";
        }

        Assert.That(shares, Is.EqualTo(expected));
    }
}
