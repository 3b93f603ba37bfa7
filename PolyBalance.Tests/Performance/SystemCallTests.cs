using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using NUnit.Framework;

namespace PolyBalance.Tests.Performance;

/// <summary>
/// How often the gateway goes to the kernel for one request: what no timing shows, and every regression changes.
/// </summary>
[Platform("Linux", Reason = "counted by strace")]
[NonParallelizable]
internal sealed class SystemCallTests
{
    private const int Requests = 10_000;
    private const int SendsPerRequest = 2;

    /// <summary>
    /// With the portable transport: on each side one for the bytes, and one in vain that arms the wait for more.
    /// Measured: 4. One more is allowed, because a receive may come in vain more than once when the kernel says
    /// "readable" too early.
    /// </summary>
    private const int ReceivesPerRequestMax = 5;

    private static readonly byte[] Request = "GET /products/42 HTTP/1.1\r\nHost: shop.example.com\r\n\r\n"u8.ToArray();

    private static readonly byte[] Reply =
        "HTTP/1.1 200 OK\r\nContent-Length: 49\r\n\r\n0123456789012345678901234567890123456789012345678"u8.ToArray();

    private string _folder = "";

    [SetUp]
    public void Start() => _folder = Directory.CreateTempSubdirectory("polybalance-").FullName;

    [TearDown]
    public void Stop() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task A_keep_alive_GET_costs_two_sends_and_at_most_five_receives()
    {
        await RequireStraceAsync();
        using var backend = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        backend.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        backend.Listen();
        new Thread(() => Answer(backend)) { IsBackground = true }.Start();

        var summary = Path.Combine(_folder, "calls");
        using (var gateway = Trace(summary, ((IPEndPoint)backend.LocalEndPoint!).Port))
        {
            var (process, port) = await ReadyAsync(gateway);
            Ask(port);
            await RunAsync("kill", "-TERM", process);
            await gateway.WaitForExitAsync();
        }

        var calls = Count(summary);
        var listed = string.Join(", ", calls.Select(call => $"{call.Key} {call.Value}"));
        Assert.That(Sum(calls, "sendto", "sendmsg", "writev"), Is.EqualTo(SendsPerRequest * Requests), listed);
        Assert.That(
            Sum(calls, "recvfrom", "recvmsg", "readv"),
            Is.InRange(2 * Requests, ReceivesPerRequestMax * Requests), listed);
    }

    private static async Task RequireStraceAsync()
    {
        try
        {
            var (code, said) = await RunAsync("strace", "-o", "/dev/null", "true");
            if (code != 0)
                Assert.Ignore($"strace may not trace processes here: {said.Trim()}");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Ignore("strace is not installed: system calls are not counted");
        }
    }

    private static async Task<(int Code, string Said)> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var said = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, said);
    }

    /// <summary>The executable as operators run it, without its access log, under strace.</summary>
    private Process Trace(string summary, int backendPort)
    {
        File.WriteAllText(
            Path.Combine(_folder, "polybalance.yaml"),
            $$"""
            listeners: [ { bind: "127.0.0.1:8000" } ]
            admin: off
            clusters: { web: { health: off, backends: [ "127.0.0.1:{{backendPort}}" ] } }
            logging: { access: off }
            transport: sockets
            """);

        // The shell says its number, and the gateway keeps it: a signal for strace itself would lose the counts.
        string[] command =
        [
            "-f", "-c", "-o", summary, "sh", "-c", "echo $$; exec dotnet \"$@\"", "sh",
            Path.Combine(AppContext.BaseDirectory, "polybalance.dll"), "-port=0",
        ];
        return Process.Start(new ProcessStartInfo("strace", command)
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
    }

    private static async Task<(string Process, int Port)> ReadyAsync(Process gateway)
    {
        var process = await gateway.StandardOutput.ReadLineAsync() ?? "";
        var port = 0;
        while (await gateway.StandardError.ReadLineAsync() is { } line)
        {
            if (Regex.Match(line, @"Listening for traffic on .*:(\d+) with") is { Success: true } match)
                port = int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
            if (line.Contains("Ready", StringComparison.Ordinal))
                return (process, port);
        }

        throw new InvalidOperationException("the gateway has ended before it was ready");
    }

    private static void Ask(int port)
    {
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.NoDelay = true;
        client.Connect(IPAddress.Loopback, port);
        var buffer = new byte[4096];
        for (var request = 0; request < Requests; request++)
        {
            client.Send(Request);
            var filled = 0;
            do
            {
                var received = client.Receive(buffer.AsSpan(filled));
                Assert.That(received, Is.Positive, $"closed after {request} requests");
                filled += received;
            }
            while (!buffer.AsSpan(0, filled).EndsWith(Reply.AsSpan(Reply.Length - 49)));
        }
    }

    private static void Answer(Socket listener)
    {
        try
        {
            using var gateway = listener.Accept();
            gateway.NoDelay = true;
            var buffer = new byte[4096];
            var filled = 0;
            while (gateway.Receive(buffer.AsSpan(filled)) is var received and > 0)
            {
                filled += received;
                if (!buffer.AsSpan(0, filled).EndsWith("\r\n\r\n"u8))
                    continue;

                gateway.Send(Reply);
                filled = 0;
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    // A line of the summary: share, seconds, microseconds per call, calls, errors if any, name.
    private static Dictionary<string, long> Count(string summary)
        => File.ReadLines(summary)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(parts => parts.Length >= 5 && long.TryParse(parts[3], out _))
            .ToDictionary(parts => parts[^1], parts => long.Parse(parts[3], CultureInfo.InvariantCulture));

    private static long Sum(Dictionary<string, long> calls, params ReadOnlySpan<string> names)
    {
        var sum = 0L;
        foreach (var name in names)
            sum += calls.GetValueOrDefault(name);
        return sum;
    }
}
