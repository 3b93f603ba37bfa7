namespace PolyBalance.Tests.Interop;

/// <summary>One node of a pair: keepalived and the gateway, with the files of <c>deploy/keepalived</c>.</summary>
internal sealed class FailoverNode : IAsyncDisposable
{
    private readonly NetworkSegment _network;
    private readonly string _name;
    private readonly string _folder;
    private readonly RunningProgram _keepalived;
    private RunningProgram _gateway;

    private FailoverNode(NetworkSegment network, string name, string folder)
    {
        (_network, _name, _folder) = (network, name, folder);
        _gateway = StartGateway();
        var own = Path.Combine(folder, name);
        _keepalived = network.Start(
            name, Programs.Find("keepalived"), "--dont-fork", "--log-console", "--log-detail",
            "--use-file", own + ".conf", "--pid", own + ".pid", "--vrrp_pid", own + "-vrrp.pid",
            "--checkers_pid", own + "-checkers.pid");
    }

    /// <summary>What keepalived has said, for the message of a failed assertion.</summary>
    public string Log => string.Join('\n', _keepalived.Errors);

    /// <summary>Starts a node.</summary>
    /// <param name="network">Where; the machine is there and has the name of the node.</param>
    /// <param name="pair">Which pair it belongs to: a folder of <c>deploy/keepalived</c>.</param>
    /// <param name="name">The node's name.</param>
    /// <param name="folder">Where the files of both nodes are; see <see cref="PrepareAsync"/>.</param>
    public static async Task<FailoverNode> StartAsync(NetworkSegment network, string pair, string name, string folder)
    {
        var configuration = await File.ReadAllTextAsync(SourceOf($"{pair}/{name}.conf"));
        await File.WriteAllTextAsync(Path.Combine(folder, name + ".conf"),
            configuration.Replace("/etc/keepalived/", folder + "/", StringComparison.Ordinal));
        var node = new FailoverNode(network, name, folder);
        await node.IsReadyAsync();
        return node;
    }

    /// <summary>Lays out what both nodes share: the check, the configuration, the keys.</summary>
    public static async Task PrepareAsync(string folder)
    {
        const UnixFileMode Everybody = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        const string Keys = "0123456789-0123456789-0123456789-01\n";
#pragma warning disable CA1416 // Network namespaces are a matter of Linux; nothing gets here without them.
        var check = Path.Combine(folder, "check-polybalance");
        File.Copy(SourceOf("check-polybalance"), check);
        File.SetUnixFileMode(folder, Everybody);
        File.SetUnixFileMode(check, Everybody);
        var keys = Path.Combine(folder, "sticky.keys");
        await File.WriteAllTextAsync(keys, Keys);
        File.SetUnixFileMode(keys, UnixFileMode.UserRead | UnixFileMode.UserWrite);
#pragma warning restore CA1416
        var configuration = await File.ReadAllTextAsync(SourceOf("polybalance.yaml"));
        await File.WriteAllTextAsync(Path.Combine(folder, "polybalance.yaml"),
            configuration.Replace("/etc/polybalance/", folder + "/", StringComparison.Ordinal));
    }

    /// <summary>Starts the built executable on a machine.</summary>
    public static RunningProgram Polybalance(NetworkSegment network, string machine, params string[] arguments)
    {
        // Under `dotnet test` the runner is dotnet itself; otherwise it is on the PATH.
        var runner = Path.GetFileName(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet";
        return network.Start(
            machine, runner, [Path.Combine(AppContext.BaseDirectory, "polybalance.dll"), .. arguments]);
    }

    /// <summary>Whether an address is on this node now, as its kernel has it.</summary>
    public bool Has(string address)
        => File.ReadAllText($"/proc/{_keepalived.Id}/net/fib_trie").Contains($"{address}\n", StringComparison.Ordinal);

    /// <summary>Waits for a line of keepalived's log.</summary>
    public Task<string> LogLineAsync(string text) => _keepalived.ErrorLineAsync(text);

    /// <summary>Ends the gateway without a chance to say goodbye; returns when it is gone.</summary>
    public async Task KillGatewayAsync()
    {
        _gateway.Signal(RunningProgram.SigKill);
        await _gateway.EndAsync();
    }

    /// <summary>Tells the gateway to stop, and waits until it has.</summary>
    public async Task<ProgramResult> StopGatewayAsync()
    {
        _gateway.Signal(RunningProgram.SigTerm);
        return await _gateway.EndAsync();
    }

    /// <summary>Starts the gateway once more, after its end.</summary>
    public async Task RestartGatewayAsync()
    {
        await _gateway.DisposeAsync();
        _gateway = StartGateway();
        await IsReadyAsync();
    }

    public async ValueTask DisposeAsync()
    {
        // Asked first: only then does it end the processes that it started.
        _keepalived.Signal(RunningProgram.SigTerm);
        await _keepalived.EndAsync();
        await _keepalived.DisposeAsync();
        await _gateway.DisposeAsync();
    }

    private static string SourceOf(string name) => Deploy.DeployFiles.PathOf(Path.Combine("keepalived", name));

    private RunningProgram StartGateway()
        => Polybalance(_network, _name, "run", "--config", Path.Combine(_folder, "polybalance.yaml"));

    private Task<string> IsReadyAsync() => _gateway.ErrorLineAsync("Ready");
}
