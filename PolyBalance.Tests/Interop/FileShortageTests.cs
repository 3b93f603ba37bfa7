using System.Net.Sockets;
using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Interop;

/// <summary>
/// More clients and backend connections than the process may open files for: it lives on, tells who is refused, does
/// not spin, and goes on when others have gone.
/// </summary>
[Platform("Linux", Reason = "limits and /proc")]
[TestFixtureSource(typeof(Transports), nameof(Transports.All))]
internal sealed class FileShortageTests(string transport)
{
    private const int FilesMax = 464;
    private const string Get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    [Test]
    public async Task Clients_beyond_what_file_descriptors_suffice_for_are_refused_and_others_served()
    {
        const int Clients = 500;
        using var backend = new RawBackend((stream, _) => AnswerAsync(stream, Task.CompletedTask));
        await using var gateway = await StartAsync(backend, "timeouts: { client_idle: 2s }");
        using var early = await RawClient.ConnectAsync(gateway.Address);

        // All say nothing: who is served is so for the two seconds after which an idle connection ends.
        var used = gateway.ProcessorTime;
        var started = TimeProvider.System.GetTimestamp();
        var clients = await RawClient.ConnectAsync(gateway.Address, Clients);
        var answers = Array.ConvertAll(clients, client => client.ReceiveToEndAsync());
        await early.SendAsync(Get);
        Assert.That(await early.ReceiveUntilAsync("hello"), Does.StartWith("HTTP/1.1 200 OK"));

        var refused = (await Task.WhenAll(answers)).Where(answer => answer.Length > 0).ToList();
        used = gateway.ProcessorTime - used;
        var elapsed = TimeProvider.System.GetElapsedTime(started);
        TestContext.Out.WriteLine(
            $"{refused.Count} refused; {used.TotalMilliseconds} of {elapsed.TotalMilliseconds} ms on a processor");
        Assert.That(refused, Is.All.StartWith("HTTP/1.1 503 ").And.All.Contains("too_many_connections"));
        Assert.That(refused, Has.Count.InRange(Clients - FilesMax, Clients - 50));
        Assert.That(used, Is.LessThan(elapsed / 2), "it spins");

        Release(clients);
        await ServesAsync(gateway);
        Assert.That(gateway.Log, Has.One.Contains("raise LimitNOFILE of the unit, or `ulimit -n`, to 4096"));
        Assert.That(gateway.Log, Has.Some.Contains("File descriptors are short"));
    }

    [Test]
    public async Task Clients_and_backend_connections_share_what_there_is_and_everybody_is_answered()
    {
        const int Clients = 300;
        var backendsMayAnswer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var backend = new RawBackend((stream, _) => AnswerAsync(stream, backendsMayAnswer.Task));
        await using var gateway = await StartAsync(backend, "");

        // Everybody asks for an answer that does not come before all others have asked.
        var answered = 0;
        var clients = await RawClient.ConnectAsync(gateway.Address, Clients);
        var answers = Array.ConvertAll(clients, async client =>
        {
            var answer = await AskAsync(client);
            Interlocked.Increment(ref answered);
            return answer;
        });
        await Eventually.HoldsAsync(
            () => Volatile.Read(ref answered) + backend.Connections == Clients,
            () => $"{answered} have an answer and {backend.Connections} wait for theirs: together {Clients}");
        backendsMayAnswer.SetResult();

        var all = await Task.WhenAll(answers);
        var served = all.Count(answer => answer.StartsWith("HTTP/1.1 200 OK", StringComparison.Ordinal));
        var unconnected = all.Count(answer => answer.Contains("file_descriptors_exhausted", StringComparison.Ordinal));
        var refused = all.Count(answer => answer.Contains("too_many_connections", StringComparison.Ordinal));
        TestContext.Out.WriteLine($"{served} served, {unconnected} without a backend connection, {refused} refused");
        Assert.That(served + unconnected + refused, Is.EqualTo(Clients));
        Assert.That(served, Is.InRange(20, FilesMax / 2));
        Assert.That(refused, Is.AtLeast(Clients - FilesMax / 2));
        Assert.That(all.Count(answer => answer.StartsWith("HTTP/1.1 503 ", StringComparison.Ordinal)),
            Is.EqualTo(unconnected + refused));

        Release(clients);
        await ServesAsync(gateway);
    }

    private static async Task AnswerAsync(NetworkStream stream, Task mayAnswer)
    {
        while (await RawBackend.ReadHeadAsync(stream) is not null)
        {
            await mayAnswer;
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"u8.ToArray());
        }
    }

    // Who is refused may be so before he has said a word.
    private static async Task<string> AskAsync(RawClient client)
    {
        try
        {
            await client.SendAsync(Get);
        }
        catch (SocketException)
        {
            // What it was told before is still there.
        }

        var answer = await client.ReceiveUntilAsync("\r\n\r\n");
        var isWhole = answer.EndsWith("hello", StringComparison.Ordinal) || answer.EndsWith('}');
        return isWhole
            ? answer
            : answer + await client.ReceiveUntilAsync(answer.Contains(" 503 ", StringComparison.Ordinal) ? "}" : "o");
    }

    private static void Release(RawClient[] clients)
    {
        foreach (var client in clients)
            client.Dispose();
    }

    // The gateway hears of each client's end in its own time.
    private static async Task ServesAsync(Gateway gateway)
    {
        await Eventually.HoldsAsync(
            () => gateway.OpenFiles < FilesMax / 2, () => $"{gateway.OpenFiles} files are open");
        for (var turn = 0; turn < 10; turn++)
            Assert.That(await gateway.GetAsync("/"), Is.EqualTo("hello"));
        gateway.AssertHealthy();
    }

    private Task<Gateway> StartAsync(RawBackend backend, string sections)
        => Gateway.StartAsync(
            transport, $"clusters: {{ web: {Gateway.Cluster([backend.Address])} }}\n{sections}", FilesMax);
}
