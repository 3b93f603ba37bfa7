using System.Collections.Immutable;
using System.Text;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Configuration;
using PolyBalance.Http;

namespace PolyBalance.Topology;

/// <summary>A named set of backends, and the selector built over those that are eligible. Immutable.</summary>
internal sealed class Cluster
{
    private readonly byte[] _hostLiteral;
    private readonly EquatableArray<StatusRange> _unwanted;

    /// <summary>Puts a cluster together; only <see cref="SnapshotBuilder"/> does.</summary>
    public Cluster(
        ClusterOptions options, ImmutableArray<Backend> backends, ImmutableArray<Candidate> candidates,
        Placement placement, RetryBudget retryBudget, RequestQueue queue, StickyTable? sticky)
    {
        Options = options;
        Backends = backends;
        Candidates = candidates;
        Placement = placement;
        RetryBudget = retryBudget;
        Queue = queue;
        Sticky = sticky;
        AttemptsMax = 1 + (options.Retries?.Attempts ?? 0);
        _unwanted = options.Retries?.Statuses ?? [];
        ReplayBytesMax = options.Retries?.ReplayBufferBytes ?? 0;
        Affinity = options.Algorithm == HashOptions.Algorithm ? new(options.Hash.Key) : null;
        _hostLiteral = Encoding.ASCII.GetBytes(options.Host.Value);
    }

    /// <summary>What the user wrote.</summary>
    public ClusterOptions Options { get; }

    /// <summary>What the user calls it.</summary>
    public string Name => Options.Name;

    /// <summary>All its backends, in the order of the file.</summary>
    public ImmutableArray<Backend> Backends { get; }

    /// <summary>Those of them that may receive traffic, tier by tier.</summary>
    public ImmutableArray<Candidate> Candidates { get; }

    /// <summary>The first tier that has anybody, as <see cref="BackupNews"/> knows it.</summary>
    public int? FirstTier { get; init; }

    /// <summary>Finds places at them.</summary>
    public Placement Placement { get; }

    /// <summary>The first tier of them: the others are backups.</summary>
    public ImmutableArray<Candidate> Eligible => Placement.Eligible;

    /// <summary>Picks among the eligible ones.</summary>
    public Selector Selector => Placement.Selector;

    /// <summary>What its requests are hashed by; <see langword="null"/> when its algorithm does not hash.</summary>
    public AffinityKey? Affinity { get; }

    /// <summary>Its sessions; <see langword="null"/> when they are not sticky.</summary>
    public StickyTable? Sticky { get; }

    /// <summary>How many backends one exchange may try, the first included.</summary>
    public int AttemptsMax { get; }

    /// <summary>Bounds its retries; the same object in every snapshot that has a cluster of this name.</summary>
    public RetryBudget RetryBudget { get; }

    /// <summary>
    /// Where its requests wait when all backends are busy; the same object in every snapshot that has a cluster of this
    /// name.
    /// </summary>
    public RequestQueue Queue { get; }

    /// <summary>How much request content is kept for another attempt. Unit: bytes.</summary>
    public int ReplayBytesMax { get; }

    /// <summary>Finds a place at once. Nobody overtakes those who wait, unless he could not join them.</summary>
    /// <param name="context">Whose place; not a last resort yet.</param>
    /// <param name="admission">The place.</param>
    /// <returns>Null: the request waits, or is refused where the queue is closed.</returns>
    public Backend? FindNow(in SelectionContext context, out Admission admission)
    {
        if (Queue.IsOpen && Queue.Waiting > 0)
        {
            admission = default;
            return null;
        }

        // A reload may have closed the queue. This snapshot may be older, and spare somebody for a wait.
        return Placement.Find(context, out admission)
            ?? (Queue.IsOpen ? null : Placement.FindAnywhere(context, out admission));
    }

    /// <summary>What <see cref="FindNow"/> would answer now. Moves nothing on and takes no place.</summary>
    /// <param name="context">Whose place; a glance.</param>
    public Backend? ForeseeNow(in SelectionContext context)
        => Queue.IsOpen && Queue.Waiting > 0
            ? null
            : Placement.Foresee(context) ?? (Queue.IsOpen ? null : Placement.ForeseeAnywhere(context));

    /// <summary>Attempts that its backends have counted.</summary>
    public long CountAttempts()
    {
        var attempts = 0L;
        foreach (var backend in Backends)
            attempts += backend.Requests;
        return attempts;
    }

    /// <summary>Whether another backend is to be asked when one answers so.</summary>
    /// <param name="status">The status code of a final response.</param>
    public bool IsUnwanted(int status)
    {
        foreach (var range in _unwanted)
        {
            if (range.Contains(status))
                return true;
        }

        return false;
    }

    /// <summary>What the Host field of a request to one of its backends says.</summary>
    public HostRule HostFor(Backend backend) => Options.Host.Kind switch
    {
        HostPolicyKind.Preserve => HostRule.Preserve(backend.HostName),
        HostPolicyKind.Backend => HostRule.Literal(backend.HostName),
        _ => HostRule.Literal(_hostLiteral),
    };
}
