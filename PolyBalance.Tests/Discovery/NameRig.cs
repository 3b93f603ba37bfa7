using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Discovery;
using PolyBalance.Tests.Support;
using PolyBalance.Topology;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Discovery;

/// <summary>A monitor of names, a scripted name server, and a clock that only the test moves.</summary>
internal sealed class NameRig : IAsyncDisposable
{
    private readonly ResolverRig _resolving = new();
    private readonly MemoryTransport _memory;
    private readonly SnapshotBuilder _builder;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    /// <summary>Makes a monitor; it looks nothing up yet.</summary>
    /// <param name="clusters">Sections of the file; the section <c>dns</c> is there.</param>
    /// <param name="dns">Keys of that section besides the servers.</param>
    /// <param name="found">What another process has found already; null: there was none.</param>
    public NameRig(string clusters, string dns = "", FoundBackends? found = null)
    {
        _memory = new(Clock);
        _builder = new(_memory, Clock, new BackendNews(Log, () => Store?.RequestRefresh(), new()));
        Store = new(found is null
            ? _builder.Build(Parse(clusters, dns), previous: null)
            : _builder.Begin(Parse(clusters, dns), new()
            {
                Found = found,
                Changes = static _ => RuntimeChanges.None,
                MadeKeys = new Dictionary<string, SigningKeys>(),
                Backends = new Dictionary<(string, string), BackendLegacy>(),
            }));
        Monitor = new(Store, _builder, _resolving.Resolver, Clock, Log);
        _running = Store.RunAsync(_stop.Token);
    }

    public ManualClock Clock => _resolving.Clock;

    public ScriptedNameServer Server => _resolving.Server;

    public SnapshotStore Store { get; }

    public NameMonitor Monitor { get; }

    public LogLines Log { get; } = new();

    /// <summary>The backends of the first cluster.</summary>
    public string Backends => string.Join(' ', Store.Current.Clusters[0].Backends.Select(backend => backend.Name));

    /// <summary>Those of them that may receive traffic.</summary>
    public string Eligible
        => string.Join(' ', Store.Current.Clusters[0].Eligible.Select(candidate => candidate.Backend.Name));

    /// <summary>What is known of the only name.</summary>
    public NameView Name => Monitor.Describe().Single();

    /// <summary>When the only name is looked up next, from now on; there is a next time.</summary>
    public TimeSpan Delay => Name.NextLookUp!.Value - Clock.Elapsed;

    /// <summary>One backend of the first cluster.</summary>
    public Backend Backend(string name) => Store.Current.Backends().Single(backend => backend.Name == name);

    /// <summary>Looks every name up for the first time.</summary>
    public async Task StartAsync()
    {
        await Monitor.StartAsync(TimeSpan.FromSeconds(5)).InTime();
        await WaitsAsync(before: 0);
    }

    /// <summary>Moves the clock to the next look-up of the only name, and waits until it has ended.</summary>
    public async Task LookUpAsync()
    {
        var before = Count();
        Clock.Advance(Delay);
        await WaitsAsync(before);
    }

    /// <summary>Looks up until something holds.</summary>
    public async Task LookUpUntilAsync(Func<bool> holds)
    {
        for (var rounds = 0; rounds < 50 && !holds(); rounds++)
            await LookUpAsync();
        Assert.That(holds(), "it came true");
    }

    /// <summary>Puts another file in force, as a reload does.</summary>
    public async Task ReloadAsync(string clusters, string dns = "")
    {
        var file = Parse(clusters, dns);
        var anew = await Monitor.PrepareAsync(file, TimeSpan.FromSeconds(5), CancellationToken.None).InTime();
        await Store.ChangeAsync(
            found => (_builder.Reload(file, anew, new HashSet<(string, Address)>(), found, out var over), over),
            CancellationToken.None).InTime();
    }

    /// <summary>Changes something at run time.</summary>
    public Task ChangeAsync(Func<RuntimeChanges, ProxyOptions, RuntimeChanges> change) => Store.ChangeAsync(
        found => (_builder.Change(change(found.Config.Changes, found.Config.Given), found), true),
        CancellationToken.None).InTime();

    /// <summary>What probes say of a backend.</summary>
    public void Judge(string name, Verdict verdict)
    {
        Backend(name).Judge(verdict);
        Store.RequestRefresh();
    }

    public Task BackendsAsync(string names)
        => Eventually.HoldsAsync(() => Backends == names, () => $"[{Backends}] is [{names}]");

    public Task EligibleAsync(string names)
        => Eventually.HoldsAsync(() => Eligible == names, () => $"[{Eligible}] is [{names}]");

    public async ValueTask DisposeAsync()
    {
        await Monitor.DisposeAsync().AsTask().InTime();
        await _stop.CancelAsync();
        await _running.InTime();
        await _memory.DisposeAsync();
        _resolving.Dispose();
        _stop.Dispose();
    }

    // The loop waits for the next look-up, after one more than there were.
    private Task WaitsAsync(long before) => Eventually.HoldsAsync(
        () => Monitor.Describe().All(name => name.NextLookUp is not null) && Count() > before,
        () => $"{Count()} look-ups are more than {before}");

    private long Count() => Monitor.Describe().Sum(
        name => Enumerable.Range(0, LookUpOutcomes.Labels.Length).Sum(outcome => name.Outcomes[outcome]));

    private ProxyOptions Parse(string clusters, string dns)
    {
        var keys = $"servers: [ \"{Server.Address}\" ]{(dns.Length > 0 ? ", " + dns : "")}";
        var result = ProxyOptions.Parse(
            $"listeners: [ {{ bind: \":8000\" }} ]\ndns: {{ {keys} }}\n{clusters}", "test.yaml");
        Assert.That(result.Errors, Is.Empty);
        return result.Options!;
    }
}
