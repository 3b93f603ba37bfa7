using System.Net;

namespace PolyBalance.Tests.Interop;

/// <summary>A dnsmasq as the name server: it knows <c>example</c> from a file, and nothing else.</summary>
internal sealed class Dnsmasq : IAsyncDisposable
{
    private const int SigHup = 1;

    private readonly string _folder;
    private readonly string[] _more;
    private RunningProgram _process;

    private Dnsmasq(string folder, RunningProgram process, int port, string[] more)
        => (_folder, _process, Port, _more) = (folder, process, port, more);

    /// <summary>Where it listens, over UDP and TCP.</summary>
    public int Port { get; }

    /// <summary>The section of a configuration that asks it, with short times.</summary>
    public string Section
        => $"dns: {{ servers: [ \"127.0.0.1:{Port}\" ], timeout: 300ms, min_ttl: 100ms, max_ttl: 200ms, hold: 2s }}\n";

    /// <summary>Starts one and waits until it listens.</summary>
    /// <param name="hosts">Lines of addresses and names.</param>
    /// <param name="more">Further options.</param>
    public static async Task<Dnsmasq> StartAsync(string hosts, params string[] more)
    {
        var folder = Directory.CreateTempSubdirectory("polybalance-").FullName;
        await File.WriteAllTextAsync(HostsOf(folder), hosts);
        var port = FreePort.Next();
        return new(folder, await StartAsync(folder, port, more), port, more);
    }

    /// <summary>Has it know other addresses from now on.</summary>
    /// <param name="hosts">Lines of addresses and names.</param>
    public async Task KnowAsync(string hosts)
    {
        await File.WriteAllTextAsync(HostsOf(_folder), hosts);
        _process.Signal(SigHup);
    }

    /// <summary>Ends it without a chance to say goodbye.</summary>
    public async Task KillAsync()
    {
        _process.Signal(RunningProgram.SigKill);
        await _process.EndAsync();
    }

    /// <summary>Starts another one in its place.</summary>
    public async Task RestartAsync()
    {
        await _process.DisposeAsync();
        _process = await StartAsync(_folder, Port, _more);
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task<RunningProgram> StartAsync(string folder, int port, string[] more)
    {
        // It gives its rights away unless it is told whose to keep; then it could not read the file any more.
        string[] user = Environment.UserName == "root" ? ["--user=root", "--group=root"] : [];
        var process = RunningProgram.Start(Programs.Find("dnsmasq"),
        [
            "--keep-in-foreground", "--conf-file=/dev/null", $"--port={port}", $"--listen-address={IPAddress.Loopback}",
            "--bind-interfaces", "--no-resolv", "--no-hosts", $"--addn-hosts={HostsOf(folder)}", "--pid-file=",
            "--local-ttl=0", "--local=/example/", "--log-facility=-", .. user, .. more,
        ]);
        await process.ErrorLineAsync("read " + HostsOf(folder));
        return process;
    }

    private static string HostsOf(string folder) => Path.Combine(folder, "hosts");
}
