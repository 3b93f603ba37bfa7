using NUnit.Framework;
using PolyBalance.Benchmarks.Compare.Figures;

namespace PolyBalance.Tests.Performance;

/// <summary>What a comparison makes of its runs: medians, ratios, verdicts.</summary>
internal sealed class CompareFiguresTests
{
    [TestCase(new[] { 3.0, 1.0, 2.0 }, 2.0, TestName = "the middle one of three")]
    [TestCase(new[] { 4.0, 1.0, 2.0, 3.0 }, 2.5, TestName = "between the two in the middle of four")]
    [TestCase(new[] { 7.0 }, 7.0, TestName = "the only one")]
    public void The_median_is(double[] values, double median)
    {
        var spread = Spread.Of(values)!.Value;

        Assert.That(spread.Median, Is.EqualTo(median));
        Assert.That((spread.Min, spread.Max, spread.Count), Is.EqualTo((values.Min(), values.Max(), values.Length)));
    }

    [Test]
    public void Nothing_measured_has_no_spread() => Assert.That(Spread.Of([]), Is.Null);

    [TestCase(86.0, 114.0, false)]
    [TestCase(84.0, 100.0, true)]
    [TestCase(100.0, 116.0, true)]
    public void A_spread_of_more_than_15_percent_to_either_side_is_noisy(double min, double max, bool noisy)
        => Assert.That(Spread.Of([min, 100, max])!.Value.IsNoisy, Is.EqualTo(noisy));

    [Test]
    public void Cpu_time_is_divided_by_the_requests_of_the_run()
    {
        var run = Run("nginx", LoadNames.Small64, requests: 1_000_000, cpu: 20);

        Assert.That(Figure.Cpu.Of(run), Is.EqualTo(20).Within(1e-9));
        Assert.That(Figure.UserCpu.Of(run), Is.EqualTo(5).Within(1e-9));
        Assert.That(Figure.SystemCpu.Of(run), Is.EqualTo(15).Within(1e-9));
        Assert.That(Figure.Throughput.Of(run), Is.EqualTo(125_000).Within(1e-9));
    }

    [Test]
    public void A_run_without_a_response_has_no_cpu_time_per_request()
        => Assert.That(Figure.Cpu.Of(Run("nginx", LoadNames.Small64, requests: 0, cpu: 1)), Is.Null);

    [Test]
    public void Idle_connections_have_no_cost_per_request()
    {
        var run = new Measurement("nginx", LoadNames.Idle, 1)
        {
            Requests = 10,
            Seconds = 1,
            UserSeconds = 1,
            Idle = new(10, 2, 3),
        };

        Assert.That(Figure.Cpu.Of(run), Is.Null);
        Assert.That(Figure.Throughput.Of(run), Is.Null);
        Assert.That(Figure.IdleMemory.Of(run), Is.EqualTo(2));
        Assert.That(Figure.IdleCpu.Of(run), Is.EqualTo(3));
    }

    [Test]
    public void A_ratio_is_to_the_peer_that_is_better_in_that_very_figure()
    {
        var comparison = new Comparison(
        [
            Run("nginx", LoadNames.Small64, 400_000, cpu: 8),
            Run("HAProxy", LoadNames.Small64, 480_000, cpu: 12),
            Run("PolyBalance sockets", LoadNames.Small64, 600_000, cpu: 6),
        ]);

        Assert.That(comparison.BestPeer(LoadNames.Small64, Figure.Cpu)!.Value.Proxy, Is.EqualTo("nginx"));
        Assert.That(comparison.BestPeer(LoadNames.Small64, Figure.Throughput)!.Value.Proxy, Is.EqualTo("HAProxy"));
        Assert.That(Ratio(Figure.Cpu), Is.EqualTo(0.5).Within(1e-9));
        Assert.That(Ratio(Figure.Throughput), Is.EqualTo(1.25).Within(1e-9));

        double? Ratio(Figure figure)
            => comparison.StandingOf(LoadNames.Small64, "PolyBalance sockets", figure)!.ToBestPeer;
    }

    [Test]
    public void Without_a_peer_there_is_no_ratio_and_no_verdict()
    {
        var comparison = new Comparison([Run("PolyBalance sockets", LoadNames.Small64, 600_000, cpu: 6)]);

        Assert.That(comparison.StandingOf(LoadNames.Small64, "PolyBalance sockets", Figure.Cpu)!.ToBestPeer, Is.Null);
        Assert.That(Goals.Judge(comparison).Select(result => result.Verdict), Is.All.EqualTo(Verdict.NotMeasured));
    }

    [Test]
    public void The_median_over_the_rounds_is_what_is_compared()
    {
        var comparison = new Comparison(
        [
            Run("nginx", LoadNames.Medium, 1_000_000, cpu: 30, round: 1),
            Run("nginx", LoadNames.Medium, 1_000_000, cpu: 10, round: 2),
            Run("nginx", LoadNames.Medium, 1_000_000, cpu: 20, round: 3),
        ]);

        Assert.That(comparison.Find(LoadNames.Medium, "nginx", Figure.Cpu)!.Value.Median, Is.EqualTo(20).Within(1e-9));
    }

    [TestCase(16.0, Verdict.Met)]
    [TestCase(16.1, Verdict.Missed)]
    public void A_goal_on_cpu_time_is_met_up_to_its_limit(double cpu, Verdict verdict)
    {
        var comparison = new Comparison(
        [
            Run("nginx", LoadNames.Small64, 1_000_000, cpu: 20),
            Run("PolyBalance io_uring", LoadNames.Small64, 1_000_000, cpu),
        ]);

        var result = Goals.Judge(comparison).Single(one => one.Goal == "49b-64: CPU µs/request");

        Assert.That(result.Verdict, Is.EqualTo(verdict));
        Assert.That(result.Required, Is.EqualTo("≤ 0.80 ×"));
        Assert.That(result.Against, Is.EqualTo("nginx 20.0"));
    }

    [Test]
    public void Against_yarp_the_worst_load_counts()
    {
        var comparison = new Comparison(
        [
            Run("YARP", LoadNames.Small64, 1_000_000, cpu: 50), Run("YARP", LoadNames.Medium, 1_000_000, cpu: 50),
            Run("PolyBalance io_uring", LoadNames.Small64, 1_000_000, cpu: 10),
            Run("PolyBalance io_uring", LoadNames.Medium, 1_000_000, cpu: 30),
        ]);

        var result = Goals.Judge(comparison).Single(one => one.Goal == "against YARP, worst load: CPU µs/request");

        Assert.That(result.Held, Is.EqualTo(0.6).Within(1e-9));
        Assert.That(result.Verdict, Is.EqualTo(Verdict.Missed));
    }

    [Test]
    public void The_access_log_is_charged_with_the_difference_that_it_makes()
    {
        var comparison = new Comparison(
        [
            Run("PolyBalance io_uring", LoadNames.Small64, 1_000_000, cpu: 10),
            Run("PolyBalance io_uring, log on", LoadNames.Small64, 1_000_000, cpu: 11),
        ]);

        var result = Goals.Judge(comparison).Single(one => one.Goal.Contains("access log", StringComparison.Ordinal));

        Assert.That(result.Held, Is.EqualTo(1).Within(1e-9));
        Assert.That(result.Verdict, Is.EqualTo(Verdict.Met));
    }

    [Test]
    public void Errors_of_all_rounds_are_shown_together_by_kind()
    {
        var comparison = new Comparison(
        [
            Run("nginx", LoadNames.Medium, 1, cpu: 1) with { Errors = new(Read: 2) },
            Run("nginx", LoadNames.Medium, 1, cpu: 1) with { Errors = new(Read: 1, Status: 4) },
        ]);

        var errors = comparison.ErrorsOf(LoadNames.Medium, "nginx");

        Assert.That(errors.Describe(), Is.EqualTo("3 read, 4 non-2xx"));
        Assert.That(errors.Total, Is.EqualTo(7));
        Assert.That(new LoadErrors().Describe(), Is.EqualTo("none"));
    }

    [Test]
    public void Each_round_begins_one_proxy_further()
    {
        string[] proxies = ["a", "b", "c"];

        Assert.That(
            Enumerable.Range(1, 4).Select(round => string.Concat(Rounds.Rotate(proxies, round))),
            Is.EqualTo(new[] { "abc", "bca", "cab", "abc" }));
    }

    [TestCase("nginx,haproxy", "nginx|haproxy")]
    [TestCase(" nginx , HAProxy,", "nginx|haproxy")]
    [TestCase("PolyBalance  sockets", "polybalance sockets")]
    [TestCase("PolyBalance io_uring, log on, nginx", "polybalance io_uring log on|nginx")]
    [TestCase("nginx,Log On,yarp", "nginx log on|yarp")]
    [TestCase("", "")]
    public void Names_of_proxies_are_read_as_people_write_them(string list, string keys)
        => Assert.That(string.Join('|', ProxyNames.KeysOf(list)), Is.EqualTo(keys));

    [Test]
    public void The_time_left_follows_the_pace_so_far()
    {
        var plan = new Plan([10, 10, 10]);
        Assert.That(plan.Left, Is.EqualTo(TimeSpan.FromSeconds(30)));

        plan.Finish(planned: 10, taken: 15);

        Assert.That(plan.Left, Is.EqualTo(TimeSpan.FromSeconds(30)));
    }

    private static Measurement Run(string proxy, string load, long requests, double cpu, int round = 1)
        => new(proxy, load, round)
        {
            Requests = requests,
            Seconds = 8,
            UserSeconds = cpu / 4,
            SystemSeconds = cpu * 3 / 4,
            Latency = new(1, 2, 3, 4, 5),
        };
}
