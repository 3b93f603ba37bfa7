using System.Net;
using FsCheck;
using FsCheck.Fluent;
using NUnit.Framework;
using PolyBalance.Configuration;
using PolyBalance.Discovery;

namespace PolyBalance.Tests.Discovery;

/// <summary>Results in, places and delays out.</summary>
internal sealed class NameStateTests
{
    private static readonly DnsOptions Rules = DnsOptions.Default;
    private static readonly DnsName Host = SomeName.Of("a.example");

    private NameState _state = new(new Random(1));
    private TimeSpan _now;

    [SetUp]
    public void Begin() => (_state, _now) = (new(new Random(1)), TimeSpan.Zero);

    [Test]
    public void What_is_found_is_in_use_in_a_fixed_order()
    {
        var news = Observe(Found(["10.0.0.10", "10.0.0.9", "10.0.0.9"], ["2001:db8::1"]));

        Assert.That(Places, Is.EqualTo("10.0.0.9 10.0.0.10 2001:db8::1"));
        Assert.That((news.HasChanged, news.Outcome), Is.EqualTo((true, LookUpOutcome.Found)));
        Assert.That(Observe(Found(["10.0.0.9", "10.0.0.10"], ["2001:db8::1"])).HasChanged, Is.False);
        Assert.That(Observe(Found(["10.0.0.9"])).HasChanged);
    }

    [TestCase("0.0.0.0 10.0.0.1 224.0.0.1 255.255.255.255", "10.0.0.1")]
    [TestCase(":: ::1 ff02::1 ::ffff:10.0.0.1", "10.0.0.1 ::1")]
    [TestCase("0.0.0.0", "")]
    public void Addresses_on_which_nobody_listens_are_left_out(string addresses, string expected)
    {
        Observe(Found(addresses.Split(' ')));

        Assert.That(Places, Is.EqualTo(expected));
    }

    [TestCase(0, 5)]
    [TestCase(1, 5)]
    [TestCase(30, 30)]
    [TestCase(3600, 60)]
    public void The_next_look_up_is_due_when_the_answer_is_old_within_bounds_and_spread(int seconds, int expected)
    {
        var delays = Enumerable.Range(0, 200)
            .Select(_ => Observe(Found(["10.0.0.1"], seconds: seconds)).Delay.TotalSeconds / expected).ToList();

        Assert.That(delays, Has.All.InRange(0.9, 1.1));
        Assert.That((delays.Min(), delays.Max()), Is.EqualTo((0.9, 1.1)).Within(0.01), "all of the range is used");
    }

    [Test]
    public void A_failure_changes_nothing_however_long_it_lasts_and_is_told_once()
    {
        Observe(Found(["10.0.0.1"]));
        var told = 0;
        double[] expected = [1, 2, 4, 8, 16, 32, 60, 60, 60];
        foreach (var delay in expected)
        {
            var news = Observe(Failed(LookUpOutcome.ServerFailed), TimeSpan.FromHours(1));
            told += news.HasBegunToFail ? 1 : 0;

            Assert.That(news.Delay.TotalSeconds, Is.InRange(0.9 * delay, 1.1 * delay));
            Assert.That((Places, news.HasChanged), Is.EqualTo(("10.0.0.1", false)));
        }

        Assert.That((told, _state.KnownAt), Is.EqualTo((1, TimeSpan.Zero)));
        var recovered = Observe(Found(["10.0.0.1"]));
        Assert.That((recovered.HasRecovered, recovered.HasChanged), Is.EqualTo((true, false)));
        Assert.That(Observe(Failed(LookUpOutcome.TimedOut)).Delay.TotalSeconds, Is.InRange(0.9, 1.1), "from the start");
    }

    [Test]
    public void One_family_that_fails_keeps_its_addresses_while_the_other_one_changes()
    {
        Observe(Found(["10.0.0.1"], ["2001:db8::1"]));
        var news = Observe(new(LookUpOutcome.Found,
            [new(Host, 0, 0, Family(["10.0.0.2"], 30), Failure(LookUpOutcome.TimedOut))], TimeSpan.MaxValue));

        Assert.That(Places, Is.EqualTo("10.0.0.2 2001:db8::1"));
        Assert.That((news.Outcome, news.HasBegunToFail), Is.EqualTo((LookUpOutcome.Found, true)));
        Assert.That(news.Delay.TotalSeconds, Is.LessThan(1.2), "it is tried again soon");
    }

    [Test]
    public void One_family_that_fails_and_one_that_has_nothing_is_a_failure()
    {
        Observe(Found(["10.0.0.1"]));
        var news = Observe(new(
            LookUpOutcome.Found, [new(Host, 0, 0, Nothing, Failure(LookUpOutcome.Refused))], TimeSpan.MaxValue));

        Assert.That((news.Outcome, Places), Is.EqualTo((LookUpOutcome.Refused, "10.0.0.1")));
    }

    [TestCase(LookUpOutcome.NoSuchName)]
    [TestCase(LookUpOutcome.NoRecords)]
    public void A_name_that_has_nothing_any_more_keeps_what_it_had_for_a_while(LookUpOutcome outcome)
    {
        Observe(Found(["10.0.0.1"]));
        var news = Observe(Failed(outcome), TimeSpan.FromSeconds(28));
        Assert.That((Places, news.HasBegunToBeEmpty, news.HasChanged), Is.EqualTo(("10.0.0.1", true, false)));

        news = Observe(Failed(outcome), TimeSpan.FromSeconds(10));
        Assert.That((Places, news.HasBegunToBeEmpty), Is.EqualTo(("10.0.0.1", false)));
        Assert.That(news.Delay, Is.EqualTo(TimeSpan.FromSeconds(2)), "it is asked when the time is over");

        // Who does not know now does not confirm that there is nothing.
        Observe(Failed(LookUpOutcome.ServerFailed), TimeSpan.FromSeconds(10));
        Assert.That(Places, Is.EqualTo("10.0.0.1"));

        news = Observe(Failed(outcome));
        Assert.That((Places, news.IsGivenUp, news.HasChanged), Is.EqualTo(("", true, true)));
        news = Observe(Failed(outcome));
        Assert.That((news.IsGivenUp, news.HasBegunToBeEmpty, news.HasChanged), Is.EqualTo((false, false, false)));
    }

    [Test]
    public void A_name_that_comes_back_in_time_has_lost_nothing()
    {
        Observe(Found(["10.0.0.1"]));
        Observe(Failed(LookUpOutcome.NoSuchName));
        Assert.That(Observe(Found(["10.0.0.1"]), TimeSpan.FromSeconds(29)).HasChanged, Is.False);

        // The time begins anew.
        Observe(Failed(LookUpOutcome.NoSuchName), TimeSpan.FromSeconds(29));
        Observe(Failed(LookUpOutcome.NoSuchName), TimeSpan.FromSeconds(29));
        Assert.That(Places, Is.EqualTo("10.0.0.1"));
    }

    [Test]
    public void There_are_not_more_places_than_anybody_needs()
    {
        string[] many = [.. Enumerable.Range(0, 1_500).Select(index => $"10.0.{index >> 8}.{index & 255}")];
        var news = Observe(Found([.. many.Reverse()]));

        Assert.That(_state.Places, Has.Count.EqualTo(Limits.AddressesPerNameMax));
        Assert.That(_state.Places[0].Host, Is.EqualTo("10.0.0.0"), "they are cut off in order");
        Assert.That(news.CutOff, Is.EqualTo(500));
        Assert.That(Observe(Found(many)).CutOff, Is.Zero, "it is told once");
    }

    [TestCase("0 0 0", "1 1 1")]
    [TestCase("33 33 33", "1 1 1")]
    [TestCase("10 30 0", "10 30 1")]
    [TestCase("20 60 100", "1 3 5")]
    [TestCase("65535 1 65534", "1000 1 999")]
    public void Weights_of_records_are_relative_to_each_other(string weights, string shares)
    {
        var hosts = weights.Split(' ').Select((weight, index) => new HostResult(
            SomeName.Of($"h{index}"), 80, int.Parse(weight, provider: null), Family([$"10.0.0.{index}"], 30), Nothing));
        Observe(new(LookUpOutcome.Found, [.. hosts], TimeSpan.FromSeconds(30)));

        Assert.That(string.Join(' ', _state.Places.Select(place => place.Share)), Is.EqualTo(shares));
    }

    [Test]
    public void Shares_compare_within_a_priority_and_places_of_the_first_are_cut_off_last()
    {
        var backups = Enumerable.Range(0, Limits.AddressesPerNameMax)
            .Select(index => $"10.0.{index / 256}.{index % 256}");
        var backup = new HostResult(SomeName.Of("b"), 80, 7, Family([.. backups], 30), Nothing, Rank: 1);
        var (first, second) = (
            new HostResult(SomeName.Of("f"), 80, 20, Family(["10.9.0.1"], 30), Nothing),
            new HostResult(SomeName.Of("g"), 80, 60, Family(["10.9.0.2"], 30), Nothing));

        var news = Observe(new(LookUpOutcome.Found, [backup, second, first], TimeSpan.FromSeconds(30)));

        Assert.That(_state.Places.Take(3).Select(place => (place.Host, place.Share, place.Rank)),
            Is.EqualTo([("10.9.0.1", 1, 0), ("10.9.0.2", 3, 0), ("10.0.0.0", 1, 1)]));
        Assert.That(news.CutOff, Is.EqualTo(2));
    }

    [Test]
    public void Of_an_address_in_two_priorities_the_first_one_counts()
    {
        var hosts = new[] { 0, 1 }.Select(rank => new HostResult(
            Host, 80, 1, Family(["10.0.0.1"], 30), Nothing, rank));

        Observe(new(LookUpOutcome.Found, [.. hosts], TimeSpan.FromSeconds(30)));

        Assert.That(_state.Places.Single().Rank, Is.Zero);
    }

    [Test]
    public void One_address_may_have_several_ports()
    {
        var hosts = new[] { 81, 80, 80 }.Select(port => new HostResult(
            Host, port, 1, Family(["10.0.0.1"], 30), Nothing));
        Observe(new(LookUpOutcome.Found, [.. hosts], TimeSpan.FromSeconds(30)));

        Assert.That(_state.Places.Select(place => place.Port), Is.EqualTo([80, 81]));
    }

    [Test]
    public void The_least_time_of_all_parts_counts()
    {
        var news = Observe(new(LookUpOutcome.Found,
            [new(Host, 80, 1, Family(["10.0.0.1"], 20), Family(["::1"], 40))], TimeSpan.FromSeconds(30)));

        Assert.That(news.Delay.TotalSeconds, Is.InRange(18, 22));
    }

    [Test]
    public void Whatever_happens_places_are_lost_only_because_somebody_knows()
    {
        var outcomes = Gen.Elements(Enum.GetValues<LookUpOutcome>()).ArrayOf(30).ToArbitrary();
        Check.One(Config.QuickThrowOnFailure, Prop.ForAll(outcomes, sequence =>
        {
            Begin();
            return sequence.All(outcome =>
            {
                var (before, place) = (_state.Places, $"10.0.0.{(int)_now.TotalSeconds % 3 + 1}");
                var news = Observe(outcome == LookUpOutcome.Found ? Found([place]) : Failed(outcome),
                    TimeSpan.FromSeconds(7));
                return news.Delay > TimeSpan.Zero && news.Delay <= Rules.TimeToLiveMax * 1.1
                    && news.HasChanged == (before != _state.Places)
                    && (!outcome.IsFailure() || !news.HasChanged)
                    && (news.IsGivenUp == (before.Count > 0 && _state.Places.Count == 0));
            });
        }));
    }

    private string Places => string.Join(' ', _state.Places.Select(place => place.Host));

    private static FamilyResult Nothing { get; } = new(LookUpOutcome.NoRecords, [], TimeSpan.Zero);

    private static FamilyResult Failure(LookUpOutcome outcome) => new(outcome, [], TimeSpan.Zero);

    private static FamilyResult Family(string[] addresses, int seconds)
        => new(LookUpOutcome.Found, [.. addresses.Select(IPAddress.Parse)], TimeSpan.FromSeconds(seconds));

    private static LookUpResult Found(string[] four, string[]? six = null, int seconds = 30) => new(
        LookUpOutcome.Found, [new(Host, 0, 0, Family(four, seconds), six is null ? Nothing : Family(six, seconds))],
        TimeSpan.MaxValue);

    private static LookUpResult Failed(LookUpOutcome outcome) => new(outcome, [], TimeSpan.Zero);

    // Time passes after it.
    private NameNews Observe(LookUpResult result, TimeSpan after = default)
    {
        var news = _state.Observe(result, Rules, _now);
        _now += after;
        return news;
    }
}
