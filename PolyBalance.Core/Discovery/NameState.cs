using System.Net;
using System.Net.Sockets;
using PolyBalance.Configuration;

namespace PolyBalance.Discovery;

/// <summary>What one look-up has changed, and when the next one is due.</summary>
internal sealed record NameNews
{
    /// <summary>How it has ended; a look-up of which only a part has failed is one that found something.</summary>
    public required LookUpOutcome Outcome { get; init; }

    /// <summary>When the next one is due, from its end on.</summary>
    public required TimeSpan Delay { get; init; }

    /// <summary>What came of it, as a part of a sentence.</summary>
    public required string Reason { get; init; }

    /// <summary>The places in use are other ones.</summary>
    public bool HasChanged { get; init; }

    /// <summary>It has failed, as a whole or in part, and the one before has not.</summary>
    public bool HasBegunToFail { get; init; }

    /// <summary>It has not failed, and the one before has.</summary>
    public bool HasRecovered { get; init; }

    /// <summary>The name has no places, and had some when it was looked up before.</summary>
    public bool HasBegunToBeEmpty { get; init; }

    /// <summary>The name has had none for so long that those in use are given up.</summary>
    public bool IsGivenUp { get; init; }

    /// <summary>How many places are too many; 0: none, or it was the same before.</summary>
    public int CutOff { get; init; }
}

/// <summary>
/// Which places of a name are in use, and when it is looked up next: results of look-ups in, places and delays out.
/// Pure: no clock, no socket, no lock.
/// </summary>
/// <remarks>
/// What is known stays known until somebody who knows says otherwise. A failure changes nothing, for as long as it
/// lasts; of a host whose addresses of one family cannot be found out the known ones stay. A name that has no places
/// any more keeps those it had for a while. Owned by one loop.
/// </remarks>
/// <param name="random">Spreads the look-ups.</param>
internal sealed class NameState(Random random)
{
    /// <summary>How far a delay varies in either direction.</summary>
    public const double Jitter = 0.1;

    /// <summary>The delay after one failure; each further one doubles it.</summary>
    public static readonly TimeSpan BackoffMin = TimeSpan.FromSeconds(1);

    private Dictionary<(DnsName Host, bool IsSix), IReadOnlyList<IPAddress>> _known = [];
    private TimeSpan? _emptySince;
    private bool _isCutOff;
    private int _failures;

    /// <summary>The places in use, in a fixed order.</summary>
    public EquatableArray<FoundPlace> Places { get; private set; } = [];

    /// <summary>When somebody has said last that these are the ones; null: nobody ever has.</summary>
    public TimeSpan? KnownAt { get; private set; }

    /// <summary>A state that begins with what another process has known.</summary>
    /// <param name="random">Spreads the look-ups.</param>
    /// <param name="places">The places in use.</param>
    /// <param name="now">Of a clock that never goes back.</param>
    public static NameState With(Random random, EquatableArray<FoundPlace> places, TimeSpan now)
        => new(random) { Places = places, KnownAt = now };

    /// <summary>Takes in the result of a look-up.</summary>
    /// <param name="result">The result.</param>
    /// <param name="rules">What the configuration says.</param>
    /// <param name="now">Of a clock that never goes back.</param>
    public NameNews Observe(LookUpResult result, DnsOptions rules, TimeSpan now)
    {
        var gathered = result.Outcome == LookUpOutcome.Found
            ? Gather(result)
            : new(result.Outcome, [], null, result.TimeToLive);
        return gathered.Outcome == LookUpOutcome.Found ? Use(gathered, rules, now)
            : gathered.Outcome.IsFailure() ? Fail(gathered.Outcome, rules)
            : Miss(gathered, rules, now);
    }

    private NameNews Use(in Gathered gathered, DnsOptions rules, TimeSpan now)
    {
        var all = InOrder(gathered.Places);
        var cut = Math.Max(all.Count - Limits.AddressesPerNameMax, 0);
        var places = WithShares(all[..^cut]);
        var (hasChanged, wasCutOff, before) = (places != Places, _isCutOff, _failures);
        (Places, KnownAt, _emptySince, _isCutOff) = (places, now, null, cut > 0);
        _failures = gathered.Failure is null ? 0 : before + 1;

        var delay = Clamp(gathered.TimeToLive, rules);
        var backoff = Backoff(rules);
        return new()
        {
            Outcome = LookUpOutcome.Found,
            Delay = Spread(_failures > 0 && backoff < delay ? backoff : delay),
            Reason = (gathered.Failure ?? LookUpOutcome.Found).InWords(),
            HasChanged = hasChanged,
            HasBegunToFail = _failures == 1,
            HasRecovered = before > 0 && _failures == 0,
            CutOff = wasCutOff ? 0 : cut,
        };
    }

    private NameNews Fail(LookUpOutcome outcome, DnsOptions rules)
    {
        _failures++;
        return new()
        {
            Outcome = outcome,
            Delay = Spread(Backoff(rules)),
            Reason = outcome.InWords(),
            HasBegunToFail = _failures == 1,
        };
    }

    // While nothing else is in use there is nothing to hold.
    private NameNews Miss(in Gathered gathered, DnsOptions rules, TimeSpan now)
    {
        var (isFirst, before) = (_emptySince is null, _failures);
        (_emptySince, _failures) = (_emptySince ?? now, 0);
        var left = rules.Hold - (now - _emptySince.Value);
        var isGivenUp = Places.Count > 0 && left <= TimeSpan.Zero;
        if (isGivenUp)
            Places = [];
        if (Places.Count == 0)
            KnownAt = now;

        var delay = Spread(Clamp(gathered.TimeToLive, rules));
        return new()
        {
            Outcome = gathered.Outcome,
            Delay = Places.Count > 0 && left < delay ? left : delay,
            Reason = gathered.Outcome.InWords(),
            HasChanged = isGivenUp,
            HasRecovered = before > 0,
            HasBegunToBeEmpty = isFirst,
            IsGivenUp = isGivenUp,
        };
    }

    private Gathered Gather(LookUpResult result)
    {
        var known = new Dictionary<(DnsName, bool), IReadOnlyList<IPAddress>>();
        var places = new Dictionary<(IPAddress, int), (int Weight, int Rank)>();
        var (failure, holds, isFresh) = (default(LookUpOutcome?), result.TimeToLive, false);
        foreach (var host in result.Hosts)
        {
            foreach (var (family, isSix) in ((FamilyResult, bool)[])[(host.Four, false), (host.Six, true)])
            {
                var addresses = family.Addresses;
                if (family.Outcome.IsFailure())
                {
                    failure ??= family.Outcome;
                    addresses = _known.GetValueOrDefault((host.Host, isSix)) ?? [];
                }
                else if (family.Outcome == LookUpOutcome.Found)
                {
                    isFresh = true;
                    holds = family.TimeToLive < holds ? family.TimeToLive : holds;
                }

                known[(host.Host, isSix)] = addresses;
                foreach (var address in addresses)
                {
                    if (Usable(address) is { } usable)
                        places.TryAdd((usable, host.Port), (host.Weight, host.Rank));
                }
            }
        }

        _known = known;
        return failure is { } outcome && !isFresh ? new(outcome, [], failure, default)
            : new(places.Count > 0 ? LookUpOutcome.Found : failure ?? LookUpOutcome.NoRecords, places, failure, holds);
    }

    // Nobody listens on an address that stands for none, or for many.
    private static IPAddress? Usable(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        var isMulticast = address.AddressFamily == AddressFamily.InterNetwork
            ? address.GetAddressBytes()[0] >= 224
            : address.IsIPv6Multicast;
        return isMulticast || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) ? null : address;
    }

    // Those that are used first come first: what is too much is cut off at the end.
    private static List<Told> InOrder(Dictionary<(IPAddress Address, int Port), (int Weight, int Rank)> places)
    {
        var all = places.Select(place
            => new Told(place.Key.Address, place.Key.Port, place.Value.Weight, place.Value.Rank)).ToList();
        all.Sort(static (one, other) =>
        {
            if (one.Rank != other.Rank)
                return one.Rank.CompareTo(other.Rank);

            var (left, right) = (one.Address.GetAddressBytes(), other.Address.GetAddressBytes());
            var byLength = left.Length.CompareTo(right.Length);
            var byAddress = byLength != 0 ? byLength : left.AsSpan().SequenceCompareTo(right);
            return byAddress != 0 ? byAddress : one.Port.CompareTo(other.Port);
        });
        return all;
    }

    private static EquatableArray<FoundPlace> WithShares(IEnumerable<Told> places)
        => [.. places.GroupBy(place => place.Rank).SelectMany(rank => SharesOf([.. rank]))];

    // Weights of records are relative to each other where their priority is the same. One without any among others that
    // have some gets the least, as RFC 2782 wants it; where nobody has any, all are equal.
    private static IEnumerable<FoundPlace> SharesOf(List<Told> places)
    {
        var weights = places.ConvertAll(place => Math.Max(place.Weight, 1));
        var divisor = weights.Aggregate(0, GreatestDivisor);
        var most = weights.Max() / divisor;
        return places.Select((place, index) => new FoundPlace(
            place.Address.ToString(), place.Port,
            most <= Limits.WeightMax
                ? weights[index] / divisor
                : Math.Max(1, weights[index] / divisor * Limits.WeightMax / most),
            IsLeaving: false, place.Rank));
    }

    private static int GreatestDivisor(int one, int other) => other == 0 ? one : GreatestDivisor(other, one % other);

    private static TimeSpan Clamp(TimeSpan holds, DnsOptions rules)
        => holds < rules.TimeToLiveMin ? rules.TimeToLiveMin
            : holds > rules.TimeToLiveMax ? rules.TimeToLiveMax
            : holds;

    private TimeSpan Backoff(DnsOptions rules)
    {
        var delay = BackoffMin;
        for (var failure = 1; failure < _failures && delay < rules.TimeToLiveMax; failure++)
            delay *= 2;
        return delay < rules.TimeToLiveMax ? delay : rules.TimeToLiveMax;
    }

    private TimeSpan Spread(TimeSpan delay) => delay * (1 - Jitter + 2 * Jitter * random.NextDouble());

    private readonly record struct Gathered(
        LookUpOutcome Outcome, Dictionary<(IPAddress Address, int Port), (int Weight, int Rank)> Places,
        LookUpOutcome? Failure, TimeSpan TimeToLive);

    private readonly record struct Told(IPAddress Address, int Port, int Weight, int Rank);
}
