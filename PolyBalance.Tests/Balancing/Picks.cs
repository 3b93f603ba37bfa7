using System.Collections.Immutable;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Tests.Backends;

namespace PolyBalance.Tests.Balancing;

/// <summary>Picks many times and counts.</summary>
internal static class Picks
{
    /// <summary>Candidates with these weights.</summary>
    public static ImmutableArray<Candidate> Weighted(ImmutableArray<Backend> backends, params int[] weights)
        => [.. backends.Zip(weights, (backend, weight) => new Candidate(backend, weight))];

    /// <summary>One pick without a key, with bits as random as those of the proxy.</summary>
    public static Backend? PickOne(this Selector selector, params ReadOnlySpan<Backend> excluded)
        => selector.Pick(new(key: 0, now: 0, (ulong)Random.Shared.NextInt64(), excluded));

    /// <summary>How often each backend is picked when nothing is ever in flight; every pick has another key.</summary>
    public static int[] Count(
        Selector selector, ImmutableArray<Backend> backends, int picks, params Backend[] excluded)
    {
        var counts = new int[backends.Length];
        for (var pick = 1UL; pick <= (ulong)picks; pick++)
            counts[backends.IndexOf(selector.Pick(new(StableHash.Mix(pick), 0, pick, excluded))!)]++;
        return counts;
    }

    /// <summary>Lets a backend have so many requests in flight.</summary>
    public static void Occupy(Backend backend, int requests)
    {
        for (var request = 0; request < requests; request++)
            backend.Begin();
    }
}
