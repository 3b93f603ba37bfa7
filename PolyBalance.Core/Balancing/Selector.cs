using System.Collections.Immutable;
using PolyBalance.Backends;

namespace PolyBalance.Balancing;

/// <summary>What a selector may look at. Carries no reference to the proxy.</summary>
/// <param name="key">Hash of the affinity key, or 0 when there is none.</param>
/// <param name="excluded">Backends that this exchange has tried already.</param>
internal readonly ref struct SelectionContext(ulong key, ReadOnlySpan<Backend> excluded)
{
    private readonly ReadOnlySpan<Backend> _excluded = excluded;

    /// <summary>Hash of the affinity key, or 0 when there is none.</summary>
    public ulong Key { get; } = key;

    /// <summary>Whether this exchange has tried a backend already.</summary>
    public bool IsExcluded(Backend backend)
    {
        foreach (var tried in _excluded)
        {
            if (ReferenceEquals(tried, backend))
                return true;
        }

        return false;
    }
}

/// <summary>Picks one of the eligible backends that it was built over.</summary>
/// <remarks>Any thread may call <see cref="Pick"/>; implementations take no lock and allocate nothing.</remarks>
internal abstract class Selector
{
    /// <summary>The backend for the next attempt.</summary>
    /// <returns>A backend, or <see langword="null"/> when none is left to try.</returns>
    public abstract Backend? Pick(in SelectionContext context);
}

/// <summary>A named way to balance: builds a selector for each new set of eligible backends.</summary>
internal interface IBalancingAlgorithm
{
    /// <summary>The value of the config key <c>algorithm</c>.</summary>
    string Name { get; }

    /// <summary>Makes a selector over backends that may receive traffic.</summary>
    /// <param name="eligible">May be empty: the selector then always answers null.</param>
    Selector Build(ImmutableArray<Backend> eligible);
}
