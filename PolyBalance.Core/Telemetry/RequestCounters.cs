namespace PolyBalance.Telemetry;

/// <summary>Counts the finished exchanges of one route by method and status code. Any thread; no lock.</summary>
internal sealed class RequestCounters
{
    // A bound on how many methods can be told apart; who counts numbers them.
    private const int MethodsMax = 16;

    private readonly StatusCounters?[] _methods = new StatusCounters?[MethodsMax];

    /// <summary>Counts one.</summary>
    /// <param name="method">The method's number.</param>
    /// <param name="status">From 0 to 999.</param>
    public void Add(int method, int status) => StatusesOf(method).Add(status);

    /// <summary>Whether anything was counted of a method.</summary>
    public bool Has(int method) => Volatile.Read(ref _methods[method]) is not null;

    /// <summary>The counters of one method.</summary>
    public StatusCounters StatusesOf(int method)
    {
        ref var place = ref _methods[method];
        return Volatile.Read(ref place) ?? Make(ref place);
    }

    /// <summary>What came up and how often, in a stable order.</summary>
    public IEnumerable<(int Method, int Status, long Count)> Counts()
    {
        for (var method = 0; method < MethodsMax; method++)
        {
            if (Volatile.Read(ref _methods[method]) is not { } statuses)
                continue;

            foreach (var (status, count) in statuses.Counts())
                yield return (method, status, count);
        }
    }

    private static StatusCounters Make(ref StatusCounters? place)
    {
        var made = new StatusCounters();
        return Interlocked.CompareExchange(ref place, made, null) ?? made;
    }
}
