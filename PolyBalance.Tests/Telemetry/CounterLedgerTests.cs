using NUnit.Framework;
using PolyBalance.Telemetry;

namespace PolyBalance.Tests.Telemetry;

internal sealed class CounterLedgerTests
{
    private static readonly string[] Methods = ["Get", "Post"];
    private static readonly string[] Kinds = ["good", "bad"];

    [Test]
    public void What_one_process_has_read_another_one_has_counted([Range(1, 10)] int seed)
    {
        var random = new Random(seed);
        var one = new Counters();
        for (var count = random.Next(1, 2_000); count > 0; count--)
            one.Count(random);

        var other = new Counters();
        other.Carry(CounterLedger.ToAdd(one.Read().Groups));

        Assert.That(other.Read().Groups, Is.EqualTo(one.Read().Groups));
        Assert.That(other.Durations.Fold().Counts(), Is.EqualTo(one.Durations.Fold().Counts()));
        Assert.That(other.Durations.Fold().Seconds, Is.EqualTo(one.Durations.Fold().Seconds));
        Assert.That(other.Requests.Counts(), Is.EqualTo(one.Requests.Counts()));
    }

    [Test]
    public void What_has_come_since_is_the_difference_and_nothing_else()
    {
        var (random, counters) = (new Random(1), new Counters());
        counters.Count(random);
        var earlier = counters.Read();
        Assert.That(counters.Read().Since(earlier).IsEmpty, Is.True);
        counters.Requests.Add(1, 404);

        var since = counters.Read().Since(earlier);

        Assert.That(since.Groups, Has.Count.EqualTo(1));
        Assert.That(since.Groups["requests"], Is.EqualTo(new Dictionary<string, long> { ["Post 404"] = 1 }));
    }

    [Test]
    public void Names_that_only_another_version_knows_are_left_alone()
    {
        var counters = new Counters();
        counters.Carry(CounterLedger.ToAdd(new()
        {
            ["requests"] = new() { ["Get 200"] = 1, ["Brew 418"] = 5, ["Get many"] = 5, ["Get 4711"] = 5 },
            ["kinds"] = new() { ["ugly"] = 5 },
            ["durations"] = new() { ["-1"] = 5, ["x"] = 5 },
            ["steps"] = new() { ["1"] = 5 },
        }));

        Assert.That(counters.Read().Groups, Has.Count.EqualTo(1));
        Assert.That(counters.Requests.Counts(), Is.EqualTo(((int, int, long)[])[(0, 200, 1)]));
    }

    private sealed class Counters
    {
        private readonly EventCounters _kinds = new(2);
        private long _number;

        public RequestCounters Requests { get; } = new();

        public LatencyHistogram Durations { get; } = new();

        public void Count(Random random)
        {
            Requests.Add(random.Next(2), random.Next(100, 600));
            _kinds.Add(random.Next(2));
            Durations.Record(TimeSpan.FromTicks(random.NextInt64(10, 5_000_000_000)));
            _number++;
        }

        public CounterLedger Read()
        {
            var ledger = CounterLedger.ToRead();
            Carry(ledger);
            return ledger;
        }

        public void Carry(CounterLedger ledger)
        {
            ledger.Carry("requests", Requests, Methods);
            ledger.Carry("kinds", _kinds, Kinds);
            ledger.Carry("durations", Durations);
            ledger.Carry("number", "value", _number, figure => _number += figure);
        }
    }
}
