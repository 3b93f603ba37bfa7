using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Scenarios;

/// <summary>
/// What all scenarios have in common: each runs over every medium, and ends with the proof that nothing leaked. The
/// names of the tests are the rows of PolyBalance.Core/Proxy/LIFECYCLE.md.
/// </summary>
[TestFixtureSource(nameof(Media)), Inline]
internal abstract class ScenarioTests(Medium medium)
{
    /// <summary>One backend.</summary>
    protected const string One = "clusters: { app: { backends: [ \"${a}\" ] } }";

    /// <summary>Two backends.</summary>
    protected const string Two = "clusters: { app: { backends: [ \"${a}\", \"${b}\" ] } }";

    /// <summary>Three backends.</summary>
    protected const string Three = "clusters: { app: { backends: [ \"${a}\", \"${b}\", \"${c}\" ] } }";

    private Scenario? _world;

    /// <summary>What every scenario runs over.</summary>
    public static IEnumerable<Medium> Media => Enum.GetValues<Medium>();

    /// <summary>The scenario of the running test.</summary>
    protected Scenario World => _world ?? throw new InvalidOperationException("StartAsync comes first.");

    /// <summary>Which medium this is.</summary>
    protected Medium Medium => medium;

    /// <summary>Nothing may be left of an exchange when everybody has gone.</summary>
    [TearDown]
    public async Task EndAsync()
    {
        if (_world is { } world)
            await world.EndAsync();
        _world = null;
    }

    /// <summary>Starts the gateway, and makes a backend of each variable that the configuration names.</summary>
    protected async Task StartAsync(string configuration) => _world = await Scenario.StartAsync(medium, configuration);

    /// <summary>A cluster with one backend and further keys.</summary>
    protected static string OneWith(string keys)
        => $$"""clusters: { app: { backends: [ "${a}" ], {{keys}} } }""";

    /// <summary>A cluster with two backends and further keys.</summary>
    protected static string TwoWith(string keys)
        => $$"""clusters: { app: { backends: [ "${a}", "${b}" ], {{keys}} } }""";

    /// <summary>Waits until a send is stopped by a receiver that does not read.</summary>
    /// <remarks>Nothing moves any more when the memory in use stays the same from glance to glance.</remarks>
    protected async Task IsStuckAsync(Task sending)
    {
        var quiet = 0;
        var before = -1L;
        await Eventually.HoldsAsync(
            () =>
            {
                var now = World.Blocks.Rented;
                quiet = now == before ? quiet + 1 : 0;
                before = now;
                return quiet > 20;
            },
            () => "the sender waits");
        Assert.That(sending.IsCompleted, Is.False, "the sender was never stopped");
    }
}
