using System.Text;
using PolyBalance.Configuration;
using PolyBalance.Transport;

namespace PolyBalance.Backends;

/// <summary>
/// Everything known about one address that requests are forwarded to. Lives as long as its key is configured.
/// </summary>
/// <remarks>Any thread. Selectors read it, exchanges report to it.</remarks>
internal sealed class Backend
{
    private const int InFlightCount = 0;
    private const int RequestCount = 1;

    private readonly LaneCounters _counts = new();
    private long _failures;
    private volatile Verdict _verdict;

    /// <summary>Makes a backend with an empty pool.</summary>
    public Backend(BackendKey key, BackendOptions options, ITransport transport, TimeProvider clock)
    {
        Key = key;
        Name = options.Name;
        Address = options.Address.ToString();
        _verdict = options.Health is null ? Verdict.Healthy : Verdict.Unknown;
        HostName = Encoding.ASCII.GetBytes(options.Address.IsUnix ? "localhost" : Address);
        Pool = new(new BackendAddress(options.Address, clock), transport, key.Pool, key.ConnectTimeout);
    }

    /// <summary>What makes it itself.</summary>
    public BackendKey Key { get; }

    /// <summary>What operators call it. The one thing about it that a reload may change.</summary>
    public string Name { get; private set; }

    /// <summary>Where it listens, as text.</summary>
    public string Address { get; }

    /// <summary>Its address as the value of a Host field.</summary>
    public ReadOnlyMemory<byte> HostName { get; }

    /// <summary>Its connections.</summary>
    public ConnectionPool Pool { get; }

    /// <summary>What probes say of it.</summary>
    public Verdict Verdict => _verdict;

    /// <summary>Requests that were given to it and have not ended.</summary>
    public int InFlight => (int)_counts.Sum(InFlightCount);

    /// <summary>Attempts made at it since the start.</summary>
    public long Requests => _counts.Sum(RequestCount);

    /// <summary>Attempts that failed because of it.</summary>
    public long Failures => Interlocked.Read(ref _failures);

    /// <summary>The configuration calls it something else now; only records and messages depend on that.</summary>
    public void Rename(string name) => Name = name;

    /// <summary>
    /// An attempt at this backend begins. Exactly one <see cref="Report"/> follows, whatever happens.
    /// </summary>
    public void Begin()
    {
        _counts.Add(InFlightCount, 1);
        _counts.Add(RequestCount, 1);
    }

    /// <summary>How an attempt ended. Only what <see cref="Side.Backend"/> caused counts against it.</summary>
    public void Report(in AttemptOutcome outcome)
    {
        _counts.Add(InFlightCount, -1);
        if (Failure.Of(outcome.Failure).Side == Side.Backend && outcome.Failure != FailureKind.None)
            Interlocked.Increment(ref _failures);
    }

    /// <summary>Notes a new verdict. What follows from it comes with the next snapshot.</summary>
    public void Judge(Verdict verdict) => _verdict = verdict;
}
