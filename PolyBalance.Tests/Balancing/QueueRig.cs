using System.Collections.Immutable;
using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Configuration;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Balancing;

/// <summary>A queue before backends with room for so many exchanges each, and a clock that tests move.</summary>
internal sealed class QueueRig : IAsyncDisposable
{
    private readonly MemoryTransport _memory;

    /// <summary>Makes backends and an open queue.</summary>
    /// <param name="backends">How many.</param>
    /// <param name="places">Exchanges that each may have.</param>
    /// <param name="requestsMax">Requests that may wait.</param>
    public QueueRig(int backends, int places, int requestsMax)
    {
        _memory = new(Clock);
        Queue = new(_memory.Heartbeat, new Random(1));
        Queue.Configure(requestsMax, _memory.Heartbeat.Ticks(TimeSpan.FromSeconds(5)));
        var pool = PoolOptions.Default with { ConnectionsMax = places };
        for (var index = 1; index <= backends; index++)
        {
            var options = new BackendOptions
            {
                Address = Address.Tcp($"10.0.0.{index}", 80),
                Name = $"web-{index}",
                Health = null,
            };
            var key = new BackendKey("web", options.Address, pool, TimeSpan.FromSeconds(3));
            Backends.Add(new(key, options, _memory, Clock));
            Backends[^1].Configure(ejection: null, slowStart: null, Queue.OnRoom);
        }

        Follow([.. Backends]);
    }

    /// <summary>The clock.</summary>
    public ManualClock Clock { get; } = new();

    /// <summary>What is tested.</summary>
    public RequestQueue Queue { get; }

    /// <summary>All of them; eligible from the start.</summary>
    public List<Backend> Backends { get; } = [];

    /// <summary>What places are found with.</summary>
    public Placement Placement { get; private set; } = Placement.Nowhere;

    /// <summary>Now, in heartbeat time.</summary>
    public long Now => _memory.Heartbeat.Now;

    /// <summary>What times deadlines.</summary>
    public Heartbeat Heartbeat => _memory.Heartbeat;

    /// <summary>These are eligible from now on.</summary>
    public void Follow(params ImmutableArray<Backend> eligible)
    {
        ImmutableArray<Candidate> candidates = [.. eligible.Select(backend => new Candidate(backend, 1))];
        Placement = new(candidates, new LeastConnections().Build(candidates, previous: null, draw: 0), canWait: true);
        Queue.Follow(Placement);
    }

    /// <summary>Takes every place of every backend.</summary>
    /// <returns>Each place, to be given back.</returns>
    public List<Choice> Fill()
    {
        var taken = new List<Choice>();
        while (Placement.FindAnywhere(new(0, Now, 0, []), out var admission) is { } backend)
            taken.Add(new(backend, admission, FailureKind.None));
        return taken;
    }

    /// <summary>An exchange ends well.</summary>
    public void End(in Choice choice)
        => choice.Backend!.Report(choice.Admission, new AttemptOutcome(FailureKind.None, 200, 1, Now));

    /// <summary>A request begins to wait.</summary>
    /// <param name="timeout">For how long.</param>
    /// <param name="home">The backend of its session.</param>
    /// <param name="tried">Whom it has tried.</param>
    public QueuedRequest Join(TimeSpan? timeout = null, Backend? home = null, params Backend[] tried)
    {
        var request = new QueuedRequest(Queue, _memory.Heartbeat) { Tried = tried, Home = home };
        Queue.Join(request, timeout is { } wait ? Now + _memory.Heartbeat.Ticks(wait) : Now + Queue.Timeout);
        return request;
    }

    /// <summary>What became of a request; it must not wait any more.</summary>
    public static Choice EndOf(QueuedRequest request)
    {
        var end = request.EndAsync();
        Assert.That(end.IsCompletedSuccessfully, Is.True, "it waits still");
        return end.GetAwaiter().GetResult();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _memory.DisposeAsync();
}
