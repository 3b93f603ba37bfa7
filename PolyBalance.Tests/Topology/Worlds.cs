using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Tests.Support;
using PolyBalance.Topology;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Topology;

/// <summary>Snapshots from configuration text; every backend is eligible from the start.</summary>
internal sealed class Worlds : IAsyncDisposable
{
    private readonly ManualClock _clock = new();
    private readonly MemoryTransport _memory;
    private readonly SnapshotBuilder _builder;

    /// <summary>Makes a world without anything in it.</summary>
    public Worlds()
    {
        _memory = new(_clock);
        _builder = new(_memory, _clock, new BackendNews(Log, static () => { }, new()));
    }

    /// <summary>What was logged.</summary>
    public LogLines Log { get; } = new();

    /// <summary>The clock of the transport.</summary>
    public ManualClock Clock => _clock;

    /// <summary>The transport of every backend.</summary>
    public MemoryTransport Memory => _memory;

    /// <summary>The snapshot that a file leads to.</summary>
    /// <param name="clusters">The sections <c>clusters</c> and <c>routes</c>.</param>
    /// <param name="previous">What was in force before.</param>
    public Snapshot Build(string clusters, Snapshot? previous = null)
    {
        var result = ProxyOptions.Parse($"listeners: [ {{ bind: \":8000\" }} ]\n{clusters}", "test.yaml");
        Assert.That(result.Errors, Is.Empty);
        return _builder.Build(Unprobed.From(result.Options!), previous);
    }

    /// <summary>The snapshot that options lead to, as they are.</summary>
    public Snapshot Build(ProxyOptions options, Snapshot? previous = null) => _builder.Build(options, previous);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _memory.DisposeAsync();
}
