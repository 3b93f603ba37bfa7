namespace PolyBalance.Configuration;

/// <summary>What an operator can change while the gateway runs.</summary>
internal enum RuntimeChangeKind
{
    /// <summary>The balancing algorithm of a cluster.</summary>
    Algorithm,

    /// <summary>The weight of a backend.</summary>
    Weight,

    /// <summary>Whether a backend drains.</summary>
    Drain,

    /// <summary>A backend that the file does not have.</summary>
    Added,

    /// <summary>A backend of the file that is out of use.</summary>
    Removed,
}

/// <summary>One value that an operator has set over the admin listener, in place of what the file says.</summary>
/// <param name="Kind">What.</param>
/// <param name="Cluster">In which cluster.</param>
/// <param name="Backend">Of which backend, by name; empty for <see cref="RuntimeChangeKind.Algorithm"/>.</param>
/// <param name="Value">The value as the file would write it.</param>
internal sealed record RuntimeChange(RuntimeChangeKind Kind, string Cluster, string Backend, string Value)
{
    /// <summary>All of the backend that was added; otherwise null.</summary>
    public BackendOptions? Options { get; init; }

    /// <summary>The same as the operator wrote it; null: nobody has written it.</summary>
    public string? Written { get; init; }

    /// <summary>The line that people read.</summary>
    public override string ToString() => Kind switch
    {
        RuntimeChangeKind.Algorithm => $"cluster {Cluster}: algorithm {Value}",
        RuntimeChangeKind.Weight => $"backend {Cluster}/{Backend}: weight {Value}",
        RuntimeChangeKind.Drain => $"backend {Cluster}/{Backend}: drain {Value}",
        RuntimeChangeKind.Added => $"backend {Cluster}/{Backend}: added",
        _ => $"backend {Cluster}/{Backend}: removed",
    };
}
