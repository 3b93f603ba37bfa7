using System.Globalization;
using System.Text;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Configuration;
using PolyBalance.Health;
using PolyBalance.Http;
using PolyBalance.Proxy;
using PolyBalance.Topology;
using PolyBalance.Transport;

namespace PolyBalance.Admin;

/// <summary>Why a request goes where it goes: <c>POST /admin/explain</c>. Changes nothing.</summary>
/// <param name="store">The snapshot in force.</param>
/// <param name="heartbeat">The gateway's clock.</param>
/// <param name="health">What probes know.</param>
internal sealed class ExplainAdmin(
    SnapshotStore store, Heartbeat heartbeat, Func<IReadOnlyList<HealthView>> health)
{
    /// <summary>Explains a request that is described by its content.</summary>
    public AdminAnswer Explain(AdminRequest request)
    {
        var options = store.Current.Options;
        return request.Read(options, AskedRequest.BindFrom, out var asked)
            ?? AdminAnswer.Of(Explain(asked, (ulong)Random.Shared.NextInt64()), AdminJson.Types.Explanation);
    }

    /// <summary>Explains a request.</summary>
    /// <param name="asked">Which.</param>
    /// <param name="draw">What chance would bring.</param>
    public Explanation Explain(AskedRequest asked, ulong draw)
    {
        var snapshot = store.Current;
        var head = new RequestHead();
        var told = new Explanation
        {
            Request = $"{asked.Method} {asked.Target}",
            Generation = snapshot.Config.Generation,
            Decision = "refuse",
            Why = "",
        };
        var failure = asked.Parse(snapshot.Options.Limits, head, out var framing);
        if (failure != FailureKind.None)
            return Refuse(told, failure);

        var route = snapshot.Routes.Match(head);
        told = told with
        {
            Request = $"{asked.Method} {Encoding.Latin1.GetString(head.Host)} {asked.Target}",
            Routes = Compare(snapshot.Routes, route, head),
        };
        if (route is null)
            return Refuse(told, FailureKind.NoRoute);
        if (framing.Length > route.BodyBytesMax)
            return Refuse(told, FailureKind.ContentTooLarge);

        told = told with
        {
            Cluster = route.Cluster.Name,
            Algorithm = route.Cluster.Options.Algorithm,
            Waiting = route.Cluster.Queue.Waiting,
        };
        return LocalResponse.IsLastHop(head)
            ? told with { Why = "PolyBalance answers it itself: Max-Forwards is 0 (RFC 9110 §7.6.2)", Status = 200 }
            : Choose(told, snapshot, route.Cluster, head, asked, draw);
    }

    private Explanation Choose(
        Explanation told, Snapshot snapshot, Cluster cluster, RequestHead head, AskedRequest asked, ulong draw)
    {
        var key = KeyOf(cluster, head, asked, out var keyText);
        var session = cluster.Sticky is { } sticky
            ? sticky.Find(head.Fields, heartbeat.UtcAt(heartbeat.Now).ToUnixTimeSeconds())
            : default;
        var glance = new Glance();
        var context = new SelectionContext(key, heartbeat.Now, draw, default, glance: glance);
        var remarks = Weigh(cluster, context);
        var step = Foresight.Of(cluster, session, context);
        var mayRepeat = head.Method.IsIdempotent || head.Fields.Has(KnownField.IdempotencyKey);
        var backend = step is { Backend: { } one } ? BackendStates.IdOf(snapshot, cluster.Name, one.Name) : null;
        told = told with
        {
            Backend = backend,
            Key = keyText,
            Session = cluster.Sticky is null ? null : Describe(snapshot, cluster, session),
            Drawn = step is { Course: Course.Sent, IsSession: false } && IsDrawn(cluster, step.Backend!, key),
            Backends = Describe(snapshot, cluster, step, remarks),
            Retries = DescribeRetries(cluster, mayRepeat),
            Then = step is { Course: Course.Sent, Backend: { } first }
                ? [.. Foresight.After(cluster, first, key, draw, glance)
                    .Select(next => BackendStates.IdOf(snapshot, cluster.Name, next.Name))]
                : [],
        };
        return step.Course switch
        {
            Course.Sent => told with { Decision = "send", Why = WhySent(cluster, step, remarks) },
            Course.Waits => told with { Decision = "wait", Why = WhyWaits(cluster, step) },
            _ => Refuse(told, step.Failure),
        };
    }

    private static Explanation Refuse(Explanation told, FailureKind failure)
    {
        var facts = Failure.Of(failure);
        return told with { Decision = "refuse", Why = facts.Sentence, Status = facts.Status, Reason = facts.Label };
    }

    private static List<RouteExplanation> Compare(RouteTable table, Route? taken, RequestHead head)
    {
        var routes = new List<RouteExplanation>();
        foreach (var route in table.Routes)
        {
            var matches = ReferenceEquals(route, taken);
            routes.Add(new(route.Label, route.Cluster.Name, matches, RouteTable.DifferenceOf(route, head)));
            if (matches)
                break;
        }

        return routes;
    }

    private static ulong KeyOf(Cluster cluster, RequestHead head, AskedRequest asked, out string? text)
    {
        text = null;
        if (cluster.Affinity is not { } affinity)
            return 0;

        var wanted = cluster.Options.Hash.Key;
        var key = affinity.Of(head);
        text = key != 0 || wanted == HashKey.ClientAddress
            ? AppliedValues.Text(wanted)
            : $"client_ip, for the request has no {AppliedValues.Text(wanted)}";
        return key != 0 ? key : AffinityKey.OfClient(asked.ClientAddress);
    }

    // What speaks for and against each of those to whom a first attempt may go now, tier by tier.
    private static Dictionary<Backend, string> Weigh(Cluster cluster, SelectionContext context)
    {
        var remarks = new Dictionary<Backend, string>();
        foreach (var tier in cluster.Placement.InUse)
        {
            var weighed = tier.Selector.Weigh(context);
            for (var index = 0; index < weighed.Length; index++)
                remarks.Add(tier.Eligible[index].Backend, weighed[index]);
            context = context.AmongBackups();
        }

        return remarks;
    }

    // Whether another request of the same kind, in the same state, could go elsewhere.
    private static bool IsDrawn(Cluster cluster, Backend backend, ulong key)
    {
        var tier = cluster.Candidates.First(candidate => candidate.Backend == backend).Tier;
        var hasOthers = cluster.Candidates.Count(candidate => candidate.Tier == tier) > 1;
        return cluster.Options.Algorithm switch
        {
            "random" or "power_of_two" or "peak_ewma" => hasOthers,
            HashOptions.Algorithm => key == 0 && hasOthers,
            _ => false,
        };
    }

    private static string Describe(Snapshot snapshot, Cluster cluster, in StickySession session) => session switch
    {
        { Home: { KeepsSessions: true } home } => $"{BackendStates.IdOf(snapshot, cluster.Name, home.Name)}"
            + (session.IsDue ? ", and a new cookie since less than half of its time is left" : ""),
        { Home: { } home } => $"{BackendStates.IdOf(snapshot, cluster.Name, home.Name)}, which is not in service: "
            + "the session moves, and the client gets a new cookie",
        { WasRefused: true } => "none: the cookie is forged, expired, or of a backend that is gone",
        _ => "none: there is no cookie, and the answer brings one",
    };

    private List<BackendExplanation> Describe(
        Snapshot snapshot, Cluster cluster, in FirstStep step, Dictionary<Backend, string> remarks)
    {
        var probes = ProbeErrors.Of(health());
        var told = new List<BackendExplanation>();
        for (var index = 0; index < cluster.Backends.Length; index++)
        {
            var backend = cluster.Backends[index];
            var state = BackendStates.Of(backend);
            var isEligible = remarks.TryGetValue(backend, out var remark);
            var why = BackendStates.WhyOf(
                backend, cluster.Options.Backends[index], isEligible, probes.Find(cluster.Name, backend.Name));
            if (isEligible)
                why = (state == "healthy" ? "" : $"{why}; ") + RoomOf(backend) + remark;

            told.Add(new(
                BackendStates.IdOf(snapshot, cluster.Name, backend.Name), backend.Address, state, isEligible,
                step.Course == Course.Sent && ReferenceEquals(step.Backend, backend), backend.InFlight, why));
        }

        return told;
    }

    private static string RoomOf(Backend backend) => backend switch
    {
        { IsAtMax: true } => "it has as many exchanges as pool.max_connections allows; ",
        { IsFull: true } => "it is spared while it starts slowly or is on trial; ",
        _ => "",
    };

    private static string WhySent(Cluster cluster, in FirstStep step, Dictionary<Backend, string> remarks)
    {
        if (step.IsSession)
            return "its session is there";

        var index = cluster.Backends.IndexOf(step.Backend!);
        var backup = cluster.Options.Backends[index].Tier > 0 ? "it is a backup, and those before it are not in full "
            + "service; " : "";
        return remarks.Count == 1
            ? $"{backup}it is the only one that is eligible"
            : $"{backup}{cluster.Options.Algorithm} picks it"
                + (remarks.TryGetValue(step.Backend!, out var remark) ? $": {remark}" : "");
    }

    private string WhyWaits(Cluster cluster, in FirstStep step)
    {
        var busy = step.IsSession ? "the backend of its session is" : "every backend is";
        var longest = Quantity.Write(heartbeat.Span(cluster.Queue.Timeout));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{busy} busy: it waits for a place, {longest} at most, behind {cluster.Queue.Waiting} others");
    }

    private static string DescribeRetries(Cluster cluster, bool mayRepeat) => (cluster.AttemptsMax, mayRepeat) switch
    {
        (1, _) => "none: retries are off",
        (_, true) => $"up to {cluster.AttemptsMax - 1} more attempts, as long as the client has nothing of an answer",
        _ => "only where nothing of the request was sent: its method is not idempotent (RFC 9110 §9.2.2)",
    };
}
