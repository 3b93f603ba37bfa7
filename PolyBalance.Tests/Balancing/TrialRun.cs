using System.Collections.Immutable;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Tests.Backends;

namespace PolyBalance.Tests.Balancing;

/// <summary>Requests that arrive at random moments of a virtual clock, and backends that take their time.</summary>
internal sealed class TrialRun(IBalancingAlgorithm algorithm, int backendCount, int seed)
{
    private const long Millisecond = TimeSpan.TicksPerMillisecond;

    private readonly Random _random = new(seed);
    private readonly ImmutableArray<Backend> _backends = SomeBackends.Make(backendCount);
    private readonly PriorityQueue<(int Backend, Admission Admission, long Started), long> _running = new();
    private Selector? _selector;
    private long _now;

    /// <summary>How often each backend was picked in the last <see cref="Send"/>.</summary>
    public int[] Shares { get; private set; } = [];

    /// <summary>Sends requests and waits for all of them.</summary>
    /// <param name="requests">How many.</param>
    /// <param name="perSecond">How many arrive in a second, on average.</param>
    /// <param name="meanOf">How long a backend takes on average; single requests take half to one and a half of it.
    /// Unit: milliseconds.</param>
    /// <returns>The response times, sorted. Unit: milliseconds.</returns>
    public double[] Send(int requests, int perSecond, Func<int, double> meanOf)
    {
        _selector ??= algorithm.Build(SomeBackends.Evenly(_backends), null, draw: 0);
        Shares = new int[backendCount];
        var times = new double[requests];
        for (var request = 0; request < requests; request++)
        {
            var pause = -Math.Log(1 - _random.NextDouble()) * TimeSpan.TicksPerSecond / perSecond;
            AdvanceTo(_now + (long)pause);
            var picked = _backends.IndexOf(_selector.Pick(new(0, _now, (ulong)_random.NextInt64(), default))!);
            Shares[picked]++;
            var admission = _backends[picked].Begin();
            times[request] = meanOf(picked) * (0.5 + _random.NextDouble());
            _running.Enqueue((picked, admission, _now), _now + (long)(times[request] * Millisecond));
        }

        AdvanceTo(long.MaxValue);
        Array.Sort(times);
        return times;
    }

    private void AdvanceTo(long moment)
    {
        while (_running.TryPeek(out var request, out var end) && end <= moment)
        {
            _running.Dequeue();
            _now = end;
            var outcome = new AttemptOutcome(FailureKind.None, 200, end - request.Started, end);
            _backends[request.Backend].Report(request.Admission, outcome);
        }

        if (moment != long.MaxValue)
            _now = moment;
    }
}
