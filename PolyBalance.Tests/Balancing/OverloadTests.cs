using NUnit.Framework;
using PolyBalance.Balancing;

namespace PolyBalance.Tests.Balancing;

/// <summary>
/// More work than backends can do, for a minute of a clock that tests move: what matters is how much is done in time.
/// </summary>
internal sealed class OverloadTests
{
    private const int Backends = 2;
    private const int Places = 10;
    private const int Seconds = 10;
    private static readonly TimeSpan Work = TimeSpan.FromMilliseconds(50);

    [TestCase(2.0)]
    [TestCase(1.5)]
    [TestCase(4.0)]
    public async Task Under_lasting_overload_all_capacity_is_used_and_who_is_served_is_in_time(double load)
    {
        await using var rig = new QueueRig(Backends, Places, requestsMax: 1_024);
        var run = new OpenLoop(rig, load, seed: 7);

        run.RunFor(TimeSpan.FromSeconds(Seconds));
        var inTime = run.Served.Count;
        run.Stop();
        run.RunFor(TimeSpan.FromSeconds(6));
        var (done, slowest) = (inTime, run.Percentile(0.99));
        await TestContext.Out.WriteLineAsync(
            $"{load} x: goodput {done / (Seconds * run.Capacity):P1}, "
            + $"p50 {run.Percentile(0.5).TotalMilliseconds:0} ms, "
            + $"p99 {slowest.TotalMilliseconds:0} ms, refused {run.Refused}");

        Assert.That(done, Is.GreaterThanOrEqualTo(0.9 * Seconds * run.Capacity));
        Assert.That(slowest, Is.LessThan(2 * Work));
    }

    [Test]
    public async Task Where_more_goes_out_than_comes_in_a_long_queue_loses_nobody()
    {
        await using var rig = new QueueRig(Backends, Places, requestsMax: 1_024);
        var run = new OpenLoop(rig, load: 0.8, seed: 3);

        run.RunFor(TimeSpan.FromSeconds(1));
        run.Burst(200);
        run.RunFor(TimeSpan.FromSeconds(10));

        Assert.That(run.Refused, Is.Zero);
        Assert.That(rig.Queue.Waiting, Is.LessThan(20));
    }

    [Test]
    public async Task A_burst_is_served_in_the_order_of_arrival_and_nobody_is_refused()
    {
        await using var rig = new QueueRig(Backends, Places, requestsMax: 1_024);
        var run = new OpenLoop(rig, load: 0.5, seed: 11);

        run.RunFor(TimeSpan.FromSeconds(1));
        run.Burst(20);
        run.RunFor(TimeSpan.FromSeconds(5));

        Assert.That(run.Refused, Is.Zero);
        Assert.That(run.IsInOrder, Is.True);
    }

    /// <summary>Requests that come at random whether others are served or not; each takes the same work.</summary>
    private sealed class OpenLoop(QueueRig rig, double load, int seed)
    {
        private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(1);

        private double _load = load;
        private readonly Random _random = new(seed);
        private readonly PriorityQueue<Choice, TimeSpan> _running = new();
        private readonly List<(TimeSpan Came, QueuedRequest Request)> _waiting = [];
        private TimeSpan _lastStarted;

        public double Capacity => Backends * Places / Work.TotalSeconds;

        public List<TimeSpan> Served { get; } = [];

        public int Refused { get; private set; }

        public bool IsInOrder { get; private set; } = true;

        public void RunFor(TimeSpan duration)
        {
            for (var until = rig.Clock.Elapsed + duration; rig.Clock.Elapsed < until;)
            {
                // The sum of many small chances is Poisson, as users are.
                for (var chance = 0; chance < 20; chance++)
                {
                    if (_random.NextDouble() < _load * Capacity * Step.TotalSeconds / 20)
                        Come();
                }

                rig.Clock.Advance(Step);
                while (_running.TryPeek(out var choice, out var end) && end <= rig.Clock.Elapsed)
                {
                    _running.Dequeue();
                    rig.End(choice);
                }

                Look();
            }
        }

        // Those who wait still are served now, or refused: they count too.
        public void Stop() => _load = 0;

        public void Burst(int count)
        {
            for (var request = 0; request < count; request++)
                Come();
        }

        public TimeSpan Percentile(double share)
        {
            Served.Sort();
            return Served[(int)(share * (Served.Count - 1))];
        }

        private void Come() => _waiting.Add((rig.Clock.Elapsed, rig.Join()));

        private void Look()
        {
            foreach (var (came, request) in _waiting)
            {
                if (!request.EndAsync().IsCompleted)
                    continue;

                request.Release();
                var choice = QueueRig.EndOf(request);
                if (choice.Backend is null)
                {
                    Refused++;
                    continue;
                }

                IsInOrder &= came >= _lastStarted;
                _lastStarted = came;
                Served.Add(rig.Clock.Elapsed + Work - came);
                _running.Enqueue(choice, rig.Clock.Elapsed + Work);
            }

            _waiting.RemoveAll(entry => entry.Request.EndAsync().IsCompleted);
        }
    }
}
