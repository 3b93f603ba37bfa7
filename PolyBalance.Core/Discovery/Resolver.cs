using System.Net;
using System.Net.Sockets;

namespace PolyBalance.Discovery;

/// <summary>How names are looked up.</summary>
/// <param name="Servers">Whom to ask; empty: whom the system names.</param>
/// <param name="Timeout">How long one try may take.</param>
internal sealed record ResolverRules(IReadOnlyList<IPEndPoint> Servers, TimeSpan Timeout);

/// <summary>Finds out what a name stands for: asks servers in turn, and follows short names and aliases.</summary>
/// <remarks>
/// Any thread. Never throws for what servers do; what they can make it do is bounded: so many aliases, so many hosts,
/// <see cref="LookUpTimeMax"/> for all of it. A server that has answered is the first to be asked next time.
/// </remarks>
/// <param name="client">Asks one server.</param>
/// <param name="system">What the system says about names.</param>
/// <param name="clock">Whose time the bounds are in.</param>
internal sealed class Resolver(DnsClient client, ResolvConfFile system, TimeProvider clock)
{
    /// <summary>How often each server is asked when all of them are silent.</summary>
    public const int RoundsMax = 2;

    /// <summary>How long one look-up may take, whatever the servers do.</summary>
    public static readonly TimeSpan LookUpTimeMax = TimeSpan.FromSeconds(30);

    private static readonly FamilyResult Nothing = new(LookUpOutcome.NoRecords, [], TimeSpan.Zero);
    private static readonly LookUpResult OverTime = new(LookUpOutcome.TimedOut, [], TimeSpan.Zero);

    private volatile int _first;

    /// <summary>Looks up the addresses of a name.</summary>
    /// <param name="name">Which; a dot at its end says that it is short for nothing.</param>
    /// <param name="rules">How.</param>
    /// <param name="stop">Nobody wants to know any more.</param>
    /// <exception cref="OperationCanceledException">Nobody does.</exception>
    public Task<LookUpResult> FindHostAsync(string name, ResolverRules rules, CancellationToken stop)
        => WithinTimeAsync(name, rules, FindHostAsync, stop);

    /// <summary>Looks up the places of a service, and the addresses of each.</summary>
    /// <inheritdoc cref="FindHostAsync(string, ResolverRules, CancellationToken)"/>
    public Task<LookUpResult> FindPlacesAsync(string name, ResolverRules rules, CancellationToken stop)
        => WithinTimeAsync(name, rules, FindPlacesAsync, stop);

    // The first candidate of which anything is known decides. Where that cannot be found out, later ones do not stand
    // in for it: they are other names, with other backends.
    private async Task<LookUpResult> WithinTimeAsync(
        string text, ResolverRules rules, Func<Errand, DnsName, Task<LookUpResult>> findAsync, CancellationToken stop)
    {
        if (!DnsName.TryParse(text, out var name))
            return new(LookUpOutcome.NoSuchName, [], TimeSpan.Zero);

        using var time = new CancellationTokenSource(LookUpTimeMax, clock);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(time.Token, stop);
        try
        {
            var conf = system.Current;
            var errand = new Errand(
                rules.Servers.Count > 0 ? rules.Servers : conf.Servers, rules.Timeout, end.Token);
            var result = OverTime;
            foreach (var candidate in conf.CandidatesFor(name, isAbsolute: text.EndsWith('.')))
            {
                result = await findAsync(errand, candidate);
                if (result.Outcome is not (LookUpOutcome.NoSuchName or LookUpOutcome.NoRecords))
                    return result;
            }

            return result;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return OverTime;
        }
    }

    private async Task<LookUpResult> FindHostAsync(Errand errand, DnsName name)
    {
        var host = await FindHostAsync(errand, name, port: 0, weight: 0);
        var (four, six) = (host.Four, host.Six);

        // No such name means none of any kind, whatever came of the other question.
        var outcome = four.Outcome == LookUpOutcome.Found || six.Outcome == LookUpOutcome.Found ? LookUpOutcome.Found
            : four.Outcome == LookUpOutcome.NoSuchName || six.Outcome == LookUpOutcome.NoSuchName
                ? LookUpOutcome.NoSuchName
            : four.Outcome.IsFailure() ? four.Outcome
            : six.Outcome;
        return outcome.IsFailure() || outcome == LookUpOutcome.Found
            ? new(LookUpOutcome.Found, [host], TimeSpan.MaxValue)
            : new(outcome, [], four.TimeToLive < six.TimeToLive ? four.TimeToLive : six.TimeToLive);
    }

    private async Task<HostResult> FindHostAsync(Errand errand, DnsName name, int port, int weight)
    {
        var four = FindFamilyAsync(errand, name, RecordKind.Address4);
        var six = FindFamilyAsync(errand, name, RecordKind.Address6);
        await Task.WhenAll(four, six);
        return new(name, port, weight, await four, await six);
    }

    private async Task<FamilyResult> FindFamilyAsync(Errand errand, DnsName name, RecordKind family)
    {
        var reply = await FollowAsync(errand, name, family);
        return new(OutcomeOf(reply.Kind), reply.Addresses, reply.TimeToLive);
    }

    // Those of the first priority come first, wherever there are too many. RFC 2782.
    private async Task<LookUpResult> FindPlacesAsync(Errand errand, DnsName name)
    {
        var reply = await FollowAsync(errand, name, RecordKind.Place);
        if (reply.Kind != ReplyKind.Records)
            return new(OutcomeOf(reply.Kind), [], reply.TimeToLive);

        // The name above all others stands for no host, and no port for no place.
        var usable = reply.Places.Where(place => !place.Target.IsRoot && place.Port > 0).ToList();
        if (usable.Count == 0)
            return new(LookUpOutcome.NoRecords, [], reply.TimeToLive);

        var places = usable.Distinct().OrderBy(place => place.Priority)
            .ThenBy(place => place.Target.ToString(), StringComparer.Ordinal).ThenBy(place => place.Port)
            .Take(Limits.AddressesPerNameMax + 1).ToList();
        var priorities = places.ConvertAll(place => place.Priority).Distinct().ToList();
        var hosts = HaveAllHosts(places, reply.Hosts)
            ? places.Select(place => Told(place, reply))
            : await Task.WhenAll(places.Select(
                place => FindHostAsync(errand, place.Target, place.Port, place.Weight)));
        var ranked = hosts.Zip(places, (host, place) => host with { Rank = priorities.IndexOf(place.Priority) });
        return new(LookUpOutcome.Found, [.. ranked], reply.TimeToLive);
    }

    // A server may leave out addresses for which there was no room. Where each host has some, of the same families,
    // none is missing as a whole; otherwise they are asked for.
    private static bool HaveAllHosts(List<PlaceRecord> places, ILookup<DnsName, IPAddress> hosts)
        => places.All(place => hosts[place.Target].Any())
            && places.Select(place => hosts[place.Target].Select(address => address.AddressFamily).Distinct().Sum(
                family => (int)family)).Distinct().Count() == 1;

    private static HostResult Told(PlaceRecord place, DnsReply reply)
    {
        FamilyResult Of(AddressFamily family)
        {
            var addresses = reply.Hosts[place.Target].Where(address => address.AddressFamily == family).ToList();
            return addresses.Count > 0 ? new(LookUpOutcome.Found, addresses, reply.TimeToLive) : Nothing;
        }

        return new(
            place.Target, place.Port, place.Weight, Of(AddressFamily.InterNetwork),
            Of(AddressFamily.InterNetworkV6));
    }

    // From alias to alias over as many messages as it takes, up to a bound.
    private async Task<DnsReply> FollowAsync(Errand errand, DnsName name, RecordKind kind)
    {
        var (aliases, holds) = (0, TimeSpan.MaxValue);
        while (true)
        {
            var reply = await AskInTurnAsync(errand, name, kind);
            holds = reply.TimeToLive < holds ? reply.TimeToLive : holds;
            aliases += reply.Aliases;
            if (aliases > Limits.AliasesMax)
                return new(ReplyKind.Malformed);
            if (reply is not { Kind: ReplyKind.Alias, Target: { } target })
                return reply with { TimeToLive = holds };

            name = target;
        }
    }

    // One after the other until one knows; again only when somebody was silent, since the others would say the same.
    private async Task<DnsReply> AskInTurnAsync(Errand errand, DnsName name, RecordKind kind)
    {
        var (reply, first) = (new DnsReply(ReplyKind.Unreachable), _first);
        for (var round = 0; round < RoundsMax; round++)
        {
            var wasSilent = false;
            for (var turn = 0; turn < errand.Servers.Count; turn++)
            {
                var index = (int)((uint)(first + turn) % (uint)errand.Servers.Count);
                reply = await client.AskAsync(errand.Servers[index], name, kind, errand.Timeout, errand.End);
                if (reply.Kind <= ReplyKind.NoRecords)
                {
                    _first = index;
                    return reply;
                }

                wasSilent |= reply.Kind == ReplyKind.TimedOut;
            }

            if (!wasSilent)
                break;
        }

        return reply;
    }

    private static LookUpOutcome OutcomeOf(ReplyKind reply) => reply switch
    {
        ReplyKind.Records => LookUpOutcome.Found,
        ReplyKind.NoSuchName => LookUpOutcome.NoSuchName,
        ReplyKind.NoRecords => LookUpOutcome.NoRecords,
        ReplyKind.TimedOut => LookUpOutcome.TimedOut,
        ReplyKind.Unreachable => LookUpOutcome.Unreachable,
        ReplyKind.Refused => LookUpOutcome.Refused,
        ReplyKind.Malformed => LookUpOutcome.Malformed,
        _ => LookUpOutcome.ServerFailed,
    };

    /// <summary>What one look-up goes by.</summary>
    private readonly record struct Errand(IReadOnlyList<IPEndPoint> Servers, TimeSpan Timeout, CancellationToken End);
}
