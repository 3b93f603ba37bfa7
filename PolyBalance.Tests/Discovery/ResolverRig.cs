using System.Net;
using PolyBalance.Discovery;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Discovery;

/// <summary>A resolver over real sockets and a clock that only the test moves, with name servers on loopback.</summary>
internal sealed class ResolverRig : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("polybalance-").FullName;
    private readonly DnsClient _client;

    /// <summary>Begins with one server, and a file that names no other.</summary>
    public ResolverRig(string resolvConf = "")
    {
        _client = new(Clock);
        WriteFile(resolvConf);
        Resolver = new(_client, new(Path.Combine(_folder, "resolv.conf"), Clock), Clock);
        Servers.Add(Server);
    }

    public ManualClock Clock { get; } = new();

    public Resolver Resolver { get; }

    public ScriptedNameServer Server { get; } = new();

    /// <summary>Whom the resolver asks.</summary>
    public List<ScriptedNameServer> Servers { get; } = [];

    public static TimeSpan Timeout { get; } = TimeSpan.FromSeconds(1);

    public ResolverRules Rules => new([.. Servers.Select(server => server.Address)], Timeout);

    /// <summary>Another server, behind the ones that are there.</summary>
    public ScriptedNameServer AddServer()
    {
        var server = new ScriptedNameServer();
        Servers.Add(server);
        return server;
    }

    public void WriteFile(string text) => File.WriteAllText(Path.Combine(_folder, "resolv.conf"), text);

    public Task<LookUpResult> FindHostAsync(string name) => Resolver.FindHostAsync(name, Rules, default).InTime();

    public Task<LookUpResult> FindPlacesAsync(string name) => Resolver.FindPlacesAsync(name, Rules, default).InTime();

    /// <summary>All addresses of a result, as texts.</summary>
    public static string AddressesOf(LookUpResult result) => string.Join(' ', result.Hosts
        .SelectMany(host => host.Four.Addresses.Concat(host.Six.Addresses)
            .Select(address => host.Port == 0 ? $"{address}" : $"{new IPEndPoint(address, host.Port)}")));

    /// <summary>How the two families of the only host have ended.</summary>
    public static (LookUpOutcome Four, LookUpOutcome Six) OutcomesOf(LookUpResult result)
        => (result.Hosts.Single().Four.Outcome, result.Hosts.Single().Six.Outcome);

    public void Dispose()
    {
        foreach (var server in Servers.Append(Server))
            server.Dispose();
        _client.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
