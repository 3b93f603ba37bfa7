using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using NUnit.Framework;
using PolyBalance.Tests.Support;
using PolyBalance.Transport.Linux;

namespace PolyBalance.Tests.Interop;

/// <summary>The executable is started anew and takes over, while clients keep coming.</summary>
[Platform("Linux", Reason = "signals and files that are passed between processes")]
[TestFixtureSource(typeof(Transports), nameof(Transports.All))]
internal sealed class UpgradeTests(string transport)
{
    private const int Clients = 4;
    private const int Upgrades = 5;
    private const int SigUsr2 = 12;

    // A shell stands in between then; whether anybody listens makes no difference.
    private const string UnderSystemd = "NOTIFY_SOCKET=/nowhere/at/all";

    private readonly HashSet<int> _processes = [];
    private string _folder = "";
    private RunningProgram _backend = null!;
    private RunningProgram _gateway = null!;
    private string _config = "";
    private IPEndPoint _address = null!;
    private int _admin;
    private Socket? _notify;

    private string File => Path.Combine(_folder, "polybalance.yaml");

    [SetUp]
    public async Task Start()
    {
        await Transports.RequireAsync(transport);
        _folder = Directory.CreateTempSubdirectory("polybalance-").FullName;
        var port = FreePort.Next();
        _backend = RunningProgram.Start(
            Executable.Command[0], [.. Executable.Command[1..], "backend", "--port", $"{port}", "--name", "one"]);
        await _backend.ErrorLineAsync("listens on");
        (_address, _admin) = (new(IPAddress.Loopback, FreePort.Next()), FreePort.Next());
        _config = $$"""
            listeners: [ { bind: "{{_address}}" } ]
            admin: { bind: "127.0.0.1:{{_admin}}" }
            transport: {{transport}}
            logging: { access_path: "{{_folder}}/access.log" }
            clusters: { web: { backends: [ "127.0.0.1:{{port}}" ] } }
            """;
        System.IO.File.WriteAllText(File, _config);
    }

    [TearDown]
    public async Task End()
    {
        foreach (var process in _processes)
            _ = RunningProgram.Send(process, RunningProgram.SigKill);
        _processes.Clear();
        if (_gateway is not null)
            await _gateway.DisposeAsync();
        await _backend.DisposeAsync();
        _notify?.Dispose();
        (_gateway, _notify) = (null!, null);
        Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public async Task Whoever_comes_while_it_is_upgraded_is_served_and_counted()
    {
        await RunAsync();
        using var enough = new CancellationTokenSource();
        var clients = Enumerable.Range(0, Clients).Select(_ => Task.Run(() => ComeAgainAsync(enough.Token))).ToList();
        var process = _gateway.Id;
        for (var upgrade = 0; upgrade < Upgrades; upgrade++)
        {
            var result = await UpgradeAsync("--json");
            Assert.That(result.ExitCode, Is.Zero, result.Everything);
            var next = JsonDocument.Parse(result.Output).RootElement.GetProperty("process").GetInt32();
            Assert.That(next, Is.Not.EqualTo(process));
            _processes.Add(process = next);
        }

        // The first one has long had nothing to do.
        await Eventually.HoldsAsync(() => _gateway.HasEnded, () => string.Join('\n', _gateway.Errors));
        await enough.CancelAsync();
        var served = (await Task.WhenAll(clients)).Sum();

        Assert.That(served, Is.GreaterThan(Upgrades));
        using var http = new HttpClient();
        await Eventually.HoldsAsync(() => Log("Stopped") == Upgrades, () => string.Join('\n', _gateway.Errors));
        var page = new Scrape(await http.GetStringAsync(new Uri($"http://127.0.0.1:{_admin}/metrics")));
        Assert.That(page.Sum("polybalance_requests_total", "code=\"200\""), Is.EqualTo(served));
        Assert.That(page.Sum("polybalance_request_duration_seconds_count"), Is.EqualTo(served));
        Assert.That(Log("fail:") + Log("rror"), Is.Zero, string.Join('\n', _gateway.Errors));
    }

    [TestCase("nonsense: 1", "exit code 1")]
    [TestCase("nonsense: 1", "exit code 1", UnderSystemd)]
    [TestCase("listeners: [ { bind: \"$ADDRESS\" }, { bind: \"127.0.0.1:$BACKEND\" } ]", "exit code 3")]
    public async Task A_new_one_that_dies_harms_nobody_and_says_why(
        string change, string why, params string[] variables)
    {
        await RunAsync(variables);
        using var enough = new CancellationTokenSource();
        var clients = Enumerable.Range(0, Clients).Select(_ => Task.Run(() => ComeAgainAsync(enough.Token))).ToList();

        // By then the configuration that the old one has taken up itself is another one: it does not look at this file.
        var listener = change.Replace("$ADDRESS", $"{_address}", StringComparison.Ordinal)
            .Replace("$BACKEND", _config.Split("\"127.0.0.1:")[^1].Split('"')[0], StringComparison.Ordinal);
        var text = change.StartsWith("listeners", StringComparison.Ordinal)
            ? string.Join('\n', _config.Split('\n')[1..].Prepend(listener))
            : $"{_config}\n{listener}";
        System.IO.File.WriteAllText(File, text);
        var result = await UpgradeAsync();
        using var http = new HttpClient();
        var health = await http.GetStringAsync(new Uri($"http://127.0.0.1:{_admin}/healthz"));
        await enough.CancelAsync();

        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Errors, Does.Contain(why).And.Contain("This process goes on"));
        Assert.That(_gateway.HasEnded, Is.False, health);
        Assert.That((await Task.WhenAll(clients)).Sum(), Is.Positive);
        Assert.That(Log("Not upgraded: "), Is.EqualTo(1));
    }

    [TestCase]
    [TestCase(UnderSystemd)]
    public async Task A_gateway_that_is_told_to_stop_in_the_middle_of_it_ends_and_so_does_the_new_one(
        params string[] variables)
    {
        await RunAsync(variables);
        using var silent = Silent();
        var upgrading = UpgradeAsync();
        await _gateway.ErrorLineAsync("Taking over from process");
        _gateway.Signal(RunningProgram.SigTerm);

        Assert.That((await _gateway.EndAsync()).ExitCode, Is.Zero);
        Assert.That((await upgrading).ExitCode, Is.Not.Zero);
        Assert.That(Log("Not upgraded: The gateway was told to stop meanwhile"), Is.EqualTo(1));
    }

    [Test]
    public async Task A_new_one_whose_shell_is_ended_by_somebody_is_ended_too()
    {
        await RunAsync(UnderSystemd);
        using var silent = Silent();
        var upgrading = UpgradeAsync();
        await _gateway.ErrorLineAsync("Taking over from process");
        var shell = ChildOf(_gateway.Id);
        var process = ChildOf(shell);

        _ = RunningProgram.Send(shell, RunningProgram.SigKill);

        Assert.That((await upgrading).Errors, Does.Contain("exit code 137").And.Contain("This process goes on"));
        Assert.That(Lives(process), Is.False, "two would accept clients");
    }

    [Test]
    public async Task Systemd_is_told_which_process_is_the_gateway_before_that_says_that_it_is_ready()
    {
        var path = Path.Combine(_folder, "notify");
        _notify = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 60_000 };
        _notify.Bind(new UnixDomainSocketEndPoint(path));
        await RunAsync($"NOTIFY_SOCKET={path}", $"WATCHDOG_PID={1}", "WATCHDOG_USEC=3600000000");
        Assert.That(Heard(), Does.StartWith("READY=1"));

        _gateway.Signal(SigUsr2);

        var main = Heard();
        Assert.That(main, Does.Match("^MAINPID=\\d+$"));
        var process = int.Parse(main["MAINPID=".Length..]);
        _processes.Add(process);
        Assert.That(Ancestry.ParentOf(process), Is.Not.EqualTo(_gateway.Id), "systemd does not wait for a grandchild");
        Assert.That(Heard(), Does.StartWith("READY=1"));
        Assert.That(Heard(), Is.EqualTo("WATCHDOG=1"), "systemd goes on to count from the last one of the old one");
        await Eventually.HoldsAsync(() => Log("Stopped") == 1, () => string.Join('\n', _gateway.Errors));
        _ = RunningProgram.Send(process, RunningProgram.SigTerm);
        Assert.That(Heard(), Does.StartWith("STOPPING=1"), "the old one has said nothing more");
        await Eventually.HoldsAsync(() => Log("Stopped") == 2, () => string.Join('\n', _gateway.Errors));
    }

    [Test]
    public async Task The_file_may_be_replaced_while_it_runs_by_one_that_does_not_even_start()
    {
        if (Executable.Published is not { } published)
        {
            Assert.Ignore("only a published file is one that could be replaced");
            return;
        }

        var own = Path.Combine(_folder, "polybalance");
        System.IO.File.Copy(published, own);
        _gateway = RunningProgram.Start(own, ["run", "--config", File]);
        await _gateway.ErrorLineAsync("Ready");
        System.IO.File.Delete(own);
        System.IO.File.WriteAllText(own, "#!/bin/sh\nexit 7\n");
        Assert.That((await RunningProgram.RunAsync("/bin/chmod", "+x", own)).ExitCode, Is.Zero);

        var result = await UpgradeAsync();
        Assert.That(result.Errors, Does.Contain("exit code 7"), result.Everything);
        string[][] orders = [["status"], ["reload"], ["plan", File], ["errors"], ["explain", "/"], ["top", "--once"]];
        foreach (var order in orders)
        {
            result = await RunningProgram.RunAsync(
                Executable.Command[0], [.. order, "--admin", $"127.0.0.1:{_admin}"]);
            Assert.That(result.ExitCode, Is.Zero, $"{order[0]}: {result.Everything}");
        }

        System.IO.File.Delete(own);
        System.IO.File.Copy(published, own);
        result = await UpgradeAsync("--json");
        Assert.That(result.ExitCode, Is.Zero, result.Everything);
        _processes.Add(JsonDocument.Parse(result.Output).RootElement.GetProperty("process").GetInt32());
        await Eventually.HoldsAsync(() => _gateway.HasEnded, () => string.Join('\n', _gateway.Errors));
    }

    private async Task RunAsync(params string[] variables)
    {
        _gateway = RunningProgram.Start(
            "/usr/bin/env", [.. variables, .. Executable.Command, "run", "--config", File]);
        await _gateway.ErrorLineAsync("Ready");
    }

    // What nobody has looked at since its end is still listed, as a zombie.
    private static bool Lives(int process)
    {
        var file = $"/proc/{process}/status";
        return System.IO.File.Exists(file)
            && !System.IO.File.ReadAllText(file).Contains("State:\tZ", StringComparison.Ordinal);
    }

    private static int ChildOf(int process) => Directory.EnumerateDirectories("/proc")
        .Select(path => int.TryParse(Path.GetFileName(path), out var id) ? id : 0)
        .Single(id => id > 0 && Ancestry.ParentOf(id) == process);

    private Task<ProgramResult> UpgradeAsync(params string[] flags) => RunningProgram.RunAsync(
        Executable.Command[0], [.. Executable.Command[1..], "upgrade", "--admin", $"127.0.0.1:{_admin}", .. flags]);

    // A new process is held up by its first probe of one more backend, which does not answer.
    private TcpListener Silent()
    {
        var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        System.IO.File.WriteAllText(File, _config.Replace(
            "backends: [ ", $"backends: [ \"{silent.LocalEndpoint}\", ", StringComparison.Ordinal));
        return silent;
    }

    private int Log(string text) => _gateway.Errors.Count(line => line.Contains(text, StringComparison.Ordinal));

    private string Heard()
    {
        var bytes = new byte[512];
        return Encoding.ASCII.GetString(bytes, 0, _notify!.Receive(bytes));
    }

    // A fresh connection for each request: whoever is refused, reset or not answered fails the test.
    private async Task<int> ComeAgainAsync(CancellationToken enough)
    {
        var request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"u8.ToArray();
        var served = 0;
        while (!enough.IsCancellationRequested)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(_address, CancellationToken.None).AsTask().InTime();
            var stream = client.GetStream();
            await stream.WriteAsync(request, CancellationToken.None).AsTask().InTime();
            using var reader = new StreamReader(stream, Encoding.ASCII);
            Assert.That(await reader.ReadToEndAsync(CancellationToken.None).InTime(), Does.StartWith("HTTP/1.1 200"));
            served++;
        }

        return served;
    }
}
