using PolyBalance.Health;

namespace PolyBalance.Admin;

/// <summary>Why the latest probe of each backend that failed did. Immutable.</summary>
internal sealed class ProbeErrors
{
    private readonly Dictionary<(string, string), string?> _errors = [];

    /// <summary>Takes them from what probes know.</summary>
    public static ProbeErrors Of(IReadOnlyList<HealthView> views)
    {
        var found = new ProbeErrors();
        foreach (var view in views)
            found._errors[(view.Cluster, view.Backend)] = view.LastError;
        return found;
    }

    /// <summary>That of one backend; null: none has failed.</summary>
    public string? Find(string cluster, string backend) => _errors.GetValueOrDefault((cluster, backend));
}
