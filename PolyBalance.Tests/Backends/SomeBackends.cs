using System.Collections.Immutable;
using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Configuration;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Backends;

/// <summary>Backends that nobody connects to, for whoever only picks among them.</summary>
internal static class SomeBackends
{
    private static readonly ManualClock Clock = new();
    private static readonly MemoryTransport Transport = new(Clock);

    /// <summary>So many backends of one cluster, each with an address of its own.</summary>
    public static ImmutableArray<Backend> Make(int count)
    {
        var backends = ImmutableArray.CreateBuilder<Backend>(count);
        for (var index = 1; index <= count; index++)
        {
            var options = new BackendOptions { Address = Address.Tcp($"10.0.0.{index}", 8080), Name = $"web-{index}" };
            var key = new BackendKey("web", options.Address, PoolOptions.Default, TimeSpan.FromSeconds(3));
            backends.Add(new(key, options, Transport, Clock));
        }

        return backends.MoveToImmutable();
    }

    /// <summary>An attempt that nothing stands in the way of.</summary>
    public static Admission Begin(this Backend backend)
    {
        Assert.That(backend.TryBegin(isLastResort: false, out var admission), Is.True);
        return admission;
    }

    /// <summary>How an attempt ended that held no place and began in the first era.</summary>
    public static void Report(this Backend backend, in AttemptOutcome outcome) => backend.Report(default, outcome);

    /// <summary>Candidates with equal shares.</summary>
    public static ImmutableArray<Candidate> Evenly(ImmutableArray<Backend> backends)
        => [.. backends.Select(backend => new Candidate(backend, 1))];
}
