using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using NUnit.Framework;

namespace PolyBalance.Tests.Host;

/// <summary>What only a process of its own can show: signals, exit codes, standard streams.</summary>
[Platform("Linux", Reason = "signals and /proc")]
internal sealed class ProcessTests
{
    private const string Config =
        """
        listeners: [ { bind: ":8000" } ]
        admin: off
        clusters: { web: { health: off, backends: [ "127.0.0.1:BACKEND" ] } }
        logging: { access: json, access_path: ACCESS }
        shutdown: { drain: 1h }
        """;

    private static readonly Dictionary<string, string> NoVariables = [];

    private string _folder = "";
    private StubBackend _backend = new();

    [SetUp]
    public void Start()
    {
        _folder = Directory.CreateTempSubdirectory("polybalance-").FullName;
        _backend = new StubBackend();
    }

    [TearDown]
    public void Stop()
    {
        _backend.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [TestCase(HostProcess.SigTerm)]
    [TestCase(HostProcess.SigInt)]
    public async Task Run_says_what_listens_logs_each_request_and_ends_with_0_on_a_signal(int signal)
    {
        using var run = Run();
        var address = await AddressAsync(run);
        Assert.That(await GetAsync(address, "/a?b"), Is.EqualTo("hello"));

        run.Signal(signal);
        Assert.That(await run.EndAsync(), Is.Zero);

        var errors = string.Join('\n', run.Errors);
        Assert.That(errors, Does.Contain("PolyBalance 0.1.0"));
        Assert.That(errors, Does.Contain(
            "Configuration: polybalance.yaml, overridden by -port; 1 listener, 1 cluster, 1 backend"));
        Assert.That(errors, Does.Match("Ready; transport (io_uring|sockets), access log json on stdout"));
        Assert.That(errors, Does.Contain("Draining"));
        Assert.That(run.Errors.Last(), Does.EndWith("Stopped"));
        Assert.That(run.Output, Has.Count.EqualTo(1));
        var line = JsonDocument.Parse(run.Output.First()).RootElement;
        Assert.That(line.GetProperty("path").GetString(), Is.EqualTo("/a?b"));
        Assert.That(line.GetProperty("backend").GetString(), Is.EqualTo($"127.0.0.1:{_backend.Port}"));
        Assert.That(line.GetProperty("status").GetInt32(), Is.EqualTo(200));
    }

    [Test]
    public async Task A_second_signal_stops_at_once_although_an_exchange_runs()
    {
        _backend.Holds = true;
        using var run = Run();
        var address = await AddressAsync(run);
        using var client = new TcpClient();
        await client.ConnectAsync(address);
        await client.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
        await _backend.Asked.WaitAsync(TimeSpan.FromSeconds(30));

        run.Signal(HostProcess.SigTerm);
        await run.ErrorLineAsync("Draining");
        Assert.That(run.IsRunning, Is.True, "the drain waits for the exchange, for up to an hour");
        run.Signal(HostProcess.SigTerm);

        Assert.That(await run.EndAsync(), Is.Zero);
        Assert.That(string.Join('\n', run.Errors), Does.Contain("Second signal").And.Contains(
            "Drain ended with 1 client connections cut off, which waited: 1 for a backend's answer"));
    }

    [Test]
    public async Task A_reader_of_the_access_log_that_has_gone_harms_nothing()
    {
        using var run = Run(readsOutput: false);
        var address = await AddressAsync(run);
        for (var round = 0; round < 3; round++)
            Assert.That(await GetAsync(address, "/"), Is.EqualTo("hello"));

        run.Signal(HostProcess.SigTerm);
        Assert.That(await run.EndAsync(), Is.Zero);
    }

    [Test]
    public async Task The_access_log_file_is_opened_again_on_SIGUSR1()
    {
        var log = Path.Combine(_folder, "access.log");
        using var run = Run(access: log);
        var address = await AddressAsync(run);
        await GetAsync(address, "/first");
        File.Move(log, log + ".1");
        run.Signal(HostProcess.SigUsr1);
        await run.ErrorLineAsync("opened again");
        await GetAsync(address, "/second");

        run.Signal(HostProcess.SigTerm);
        Assert.That(await run.EndAsync(), Is.Zero);
        Assert.That(File.ReadAllText(log), Does.Contain("/second"));
        Assert.That(File.ReadAllText(log + ".1"), Does.Not.Contain("/second"));
        Assert.That(run.Output, Is.Empty);
    }

    [Test]
    public async Task The_configuration_is_taken_up_when_its_file_changes_and_on_SIGHUP()
    {
        var (first, second) = (Path.Combine(_folder, "first.log"), Path.Combine(_folder, "second.log"));
        using var run = Run(access: first);
        var address = await AddressAsync(run);
        await GetAsync(address, "/first");

        var file = Path.Combine(_folder, "polybalance.yaml");
        var text = File.ReadAllText(file);
        File.WriteAllText(file, text + "\nnonsense: 1\n");
        await run.ErrorLineAsync("polybalance.yaml:6:1: unknown key `nonsense`");
        File.WriteAllText(file, text.Replace(first, second, StringComparison.Ordinal));
        await run.ErrorLineAsync("Reloaded polybalance.yaml, generation 2: 0 added, 0 removed, 1 values changed");
        Assert.That(await GetAsync(address, "/second"), Is.EqualTo("hello"));
        run.Signal(HostProcess.SigHup);
        await run.ErrorLineAsync("generation 3: 0 added, 0 removed, 0 values changed");

        run.Signal(HostProcess.SigTerm);
        Assert.That(await run.EndAsync(), Is.Zero);
        Assert.That(File.ReadAllText(first), Does.Contain("/first").And.Not.Contain("/second"));
        Assert.That(File.ReadAllText(second), Does.Contain("/second"));
    }

    [Test]
    public async Task The_access_log_on_stdout_changes_its_form_with_a_reload()
    {
        using var run = Run();
        var address = await AddressAsync(run);
        await GetAsync(address, "/first");
        var file = Path.Combine(_folder, "polybalance.yaml");
        File.WriteAllText(
            file, File.ReadAllText(file).Replace("access: json", "access: combined", StringComparison.Ordinal));
        await run.ErrorLineAsync("Reloaded polybalance.yaml, generation 2");
        await GetAsync(address, "/second");

        run.Signal(HostProcess.SigTerm);
        Assert.That(await run.EndAsync(), Is.Zero);
        Assert.That(run.Output.First(), Does.StartWith("{").And.Contain("/first"));
        Assert.That(run.Output.Last(), Does.Contain("\"GET /second HTTP/1.1\" 200"));
    }

    [Test]
    public async Task An_access_log_that_cannot_be_opened_ends_the_run_before_it_begins()
    {
        using var run = Run(access: Path.Combine(_folder, "missing", "access.log"));

        Assert.That(await run.EndAsync(), Is.EqualTo(1));
        Assert.That(run.Errors.Last(), Does.Contain("missing/access.log cannot be opened"));
        Assert.That(run.Errors.Last(), Does.Contain("logging.access_path"));
    }

    [Test]
    public async Task Systemd_hears_when_everything_listens_and_when_the_drain_begins()
    {
        var path = Path.Combine(_folder, "notify");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.ReceiveTimeout = 60_000;
        using var run = Run(variables: new() { ["NOTIFY_SOCKET"] = path, ["INVOCATION_ID"] = "1" });

        Assert.That(
            Receive(socket),
            Is.EqualTo("READY=1\nSTATUS=Serving 0 client connections, 1 of 1 backends eligible"));
        Assert.That(await run.ErrorLineAsync("Ready"), Does.StartWith("<6>"), "the journal's priority");
        run.Signal(HostProcess.SigHup);
        Assert.That(Receive(socket), Does.StartWith("RELOADING=1\nMONOTONIC_USEC="));
        Assert.That(Receive(socket), Does.StartWith("READY=1\nSTATUS=Serving"));
        run.Signal(HostProcess.SigTerm);
        Assert.That(Receive(socket), Does.StartWith("STOPPING=1\nSTATUS=Draining"));
        Assert.That(await run.EndAsync(), Is.Zero);
    }

    [Test]
    public async Task An_address_that_is_taken_is_named_and_ends_with_3()
    {
        using var taken = new TcpListener(IPAddress.Any, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        using var run = Run(port);

        Assert.That(await run.EndAsync(), Is.EqualTo(3));
        Assert.That(run.Errors.Last(), Does.StartWith("polybalance: ").And.Contain($":{port}"));
    }

    [Test]
    public async Task Flags_alone_are_a_configuration()
    {
        using var backend = new HostProcess(
            _folder, NoVariables, "backend", "--port", "0", "--name", "b1", "--delay=1ms");
        var listening = await backend.ErrorLineAsync("Backend b1 listens on 127.0.0.1:");
        var port = int.Parse(listening[(listening.LastIndexOf(':') + 1)..]);

        Assert.That(await GetAsync(new IPEndPoint(IPAddress.Loopback, port), "/"), Does.Contain("b1"));
        backend.Signal(HostProcess.SigTerm);
        Assert.That(await backend.EndAsync(), Is.Zero);
        Assert.That(backend.Errors.Last(), Does.EndWith("Backend b1 stopped after 1 requests"));
    }

    [Test]
    public async Task One_round_of_the_demo_answers_every_request_and_shows_all_three_backends()
    {
        using var demo = new HostProcess(_folder, NoVariables, "demo", "--once");

        Assert.That(await demo.EndAsync(), Is.Zero, string.Join('\n', demo.Errors));
        var table = demo.Output.SkipWhile(line => !line.StartsWith("backend ", StringComparison.Ordinal)).ToArray();
        Assert.That(table[0], Does.Match("^backend +address +requests +share +errors +mean +p99$"));
        Assert.That(table[1..4].Select(row => row.Split(' ')[0]), Is.EqualTo((string[])["steady", "slow", "flaky"]));
        foreach (var row in table[1..4])
        {
            var requests = int.Parse(row.Split(' ', StringSplitOptions.RemoveEmptyEntries)[2]);
            Assert.That(requests, Is.GreaterThanOrEqualTo(100), row);
        }

        Assert.That(table[4], Does.Match(@"^clients: \d+ answers, \d+ errors, 0 without an answer$"));
    }

    [Test]
    public async Task The_demo_shows_lines_until_it_is_interrupted()
    {
        using var demo = new HostProcess(_folder, NoVariables, "demo");
        await demo.OutputLineAsync("curl -i http://127.0.0.1:");
        await demo.OutputLineAsync("clients: ");
        demo.Signal(HostProcess.SigInt);

        Assert.That(await demo.EndAsync(), Is.Zero);
        Assert.That(demo.Output.Last(), Does.EndWith(" 0 without an answer"));
    }

    private static string Receive(Socket socket)
    {
        var bytes = new byte[512];
        return Encoding.ASCII.GetString(bytes, 0, socket.Receive(bytes));
    }

    private static async Task<IPEndPoint> AddressAsync(HostProcess run)
    {
        var line = await run.ErrorLineAsync("Listening for traffic on ");
        await run.ErrorLineAsync("Ready");
        return new IPEndPoint(IPAddress.Loopback, int.Parse(Regex.Match(line, @":(\d+) with").Groups[1].Value));
    }

    private static async Task<string> GetAsync(IPEndPoint address, string target)
    {
        using var client = new HttpClient();
        return await client.GetStringAsync(new Uri($"http://{address}{target}"));
    }

    private HostProcess Run(
        int port = 0, string access = "stdout", Dictionary<string, string>? variables = null, bool readsOutput = true)
    {
        var config = Config.Replace("BACKEND", $"{_backend.Port}", StringComparison.Ordinal)
            .Replace("ACCESS", access, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(_folder, "polybalance.yaml"), config);
        return new HostProcess(_folder, variables ?? NoVariables, readsOutput, $"-port={port}");
    }

    /// <summary>Answers every request with "hello", or with nothing at all.</summary>
    private sealed class StubBackend : IDisposable
    {
        private static readonly byte[] Response =
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"u8.ToArray();

        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public StubBackend()
        {
            _listener.Start();
            _ = AcceptAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public bool Holds { get; set; }

        /// <summary>Completes when a request has arrived.</summary>
        public Task Asked => _asked.Task;

        public void Dispose() => _listener.Dispose();

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                    _ = AnswerAsync(await _listener.AcceptTcpClientAsync());
            }
            catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }

        private async Task AnswerAsync(TcpClient client)
        {
            using var connection = client;
            var bytes = new byte[8192];
            while (await connection.GetStream().ReadAsync(bytes) > 0)
            {
                _asked.TrySetResult();
                if (Holds)
                    continue;

                await connection.GetStream().WriteAsync(Response);
                return;
            }
        }
    }
}
