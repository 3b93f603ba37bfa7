using NUnit.Framework;
using PolyBalance.Backends;

namespace PolyBalance.Tests.Backends;

internal sealed class EjectionTimeTests
{
    // Times of service before each ejection, and how long each ejection lasts; base time 10, at most 45.
    [TestCase("0", "10")]
    [TestCase("0 0 0", "10 20 30", TestName = "each ejection lasts longer")]
    [TestCase("0 0 0 0 0 0 0", "10 20 30 40 45 45 45", TestName = "up to the longest")]
    [TestCase("0 9", "10 20", TestName = "less than the base time in service forgives nothing")]
    [TestCase("0 10", "10 10", TestName = "the base time in service forgives one step")]
    [TestCase("0 0 0 10", "10 20 30 30", TestName = "one step, not all")]
    [TestCase("0 0 0 25", "10 20 30 20")]
    [TestCase("0 0 0 0 0 0 0 1000", "10 20 30 40 45 45 45 10", TestName = "a long good time forgives all")]
    [TestCase("0 0 0 0 0 0 0 0 0 30", "10 20 30 40 45 45 45 45 45 30",
        TestName = "what made no difference need not be forgiven")]
    public void It_grows_with_each_ejection_and_shrinks_in_good_times(string service, string expected)
    {
        var time = new EjectionTime();
        var now = 1_000L;
        var lasted = new List<long>();
        foreach (var part in service.Split(' '))
        {
            now += long.Parse(part);
            lasted.Add(time.Begin(now, baseTime: 10, timeMax: 45));
            now += lasted[^1];
            time.Return(now);
        }

        Assert.That(string.Join(' ', lasted), Is.EqualTo(expected));
    }

    [Test]
    public void Time_out_of_service_forgives_nothing()
    {
        var time = new EjectionTime();
        Assert.That(time.Begin(0, baseTime: 10, timeMax: 100), Is.EqualTo(10));

        Assert.That(time.Prolong(500, baseTime: 10, timeMax: 100), Is.EqualTo(20));
        Assert.That(time.Prolong(900, baseTime: 10, timeMax: 100), Is.EqualTo(30));
    }
}
