using PolyBalance.Configuration;
using PolyBalance.Http;

namespace PolyBalance.Proxy;

/// <summary>Which exchanges are recorded in traces. Immutable.</summary>
/// <param name="options">What the user wrote.</param>
internal sealed class TraceRules(TracingOptions options)
{
    private readonly int _samplePerMillion = options.SamplePerMillion;
    private readonly bool _trustsParent = options.TrustsParent;

    /// <summary>Whether an exchange is recorded.</summary>
    /// <param name="parent">Where its request comes from; null: a trace begins here.</param>
    /// <param name="isTrusted">
    /// Whether the client's word counts: anybody else could have us record everything that he sends.
    /// </param>
    public bool Samples(TraceParent? parent, bool isTrusted)
        => isTrusted && _trustsParent && parent is { } given
            ? given.IsSampled
            : Random.Shared.Next(TracingOptions.EveryExchange) < _samplePerMillion;
}
