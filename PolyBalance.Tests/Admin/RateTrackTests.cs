using NUnit.Framework;
using PolyBalance.Admin;
using PolyBalance.Telemetry;

namespace PolyBalance.Tests.Admin;

/// <summary>Counters that only grow become what happened lately.</summary>
internal sealed class RateTrackTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private LatencyHistogram _durations = null!;
    private RateTrack _track = null!;

    [SetUp]
    public void Begin() => (_durations, _track) = (new(), new());

    [Test]
    public void Nothing_is_known_after_one_look()
    {
        var rate = _track.Observe(100, 3, _durations.Fold(), Second);
        Assert.That(rate, Is.EqualTo(new RateAnswer(null, null, null, null)));
    }

    [Test]
    public void Rates_are_those_since_the_last_look()
    {
        _track.Observe(100, 3, _durations.Fold(), Second);
        var rate = _track.Observe(300, 4, _durations.Fold(), 2 * Second);
        Assert.That((rate.PerSecond, rate.FailuresPerSecond), Is.EqualTo(((double?)100, (double?)0.5)));
    }

    [Test]
    public void Counters_that_begin_anew_are_no_negative_rate()
    {
        _track.Observe(100, 3, _durations.Fold(), Second);
        Assert.That(_track.Observe(10, 0, _durations.Fold(), Second).PerSecond, Is.Zero);
    }

    [Test]
    public void Latencies_are_those_of_the_last_five_to_ten_seconds()
    {
        _durations.Record(TimeSpan.FromMilliseconds(100));
        Look();
        _durations.Record(TimeSpan.FromMilliseconds(5));
        Assert.That(Look(), Is.EqualTo(5).Within(0.05), "what was before the first look counts for nothing");

        for (var second = 0; second < 3; second++)
            Assert.That(Look(), Is.EqualTo(5).Within(0.05));
        for (var second = 0; second < 10; second++)
            Look();
        Assert.That(Look(), Is.Null);

        double? Look() => _track.Observe(0, 0, _durations.Fold(), Second).LatencyP99Ms;
    }
}
