using System.Diagnostics;
using NUnit.Framework;
using PolyBalance.Tests.Interop;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Performance;

/// <summary>
/// How often the gateway goes to the kernel for one request: what no timing shows, and every regression changes.
/// </summary>
[Platform("Linux", Reason = "counted by strace")]
[NonParallelizable]
internal sealed class SystemCallTests
{
    private const int Requests = 9_600;
    private const int WarmUpRequests = 4_800;
    private const int SendsPerRequest = 2;

    /// <summary>
    /// With the portable transport: on each side one for the bytes, and one in vain that arms the wait for more.
    /// Measured: 4. One more is allowed, because a receive may come in vain more than once when the kernel says
    /// "readable" too early.
    /// </summary>
    private const int ReceivesPerRequestMax = 5;

    /// <summary>
    /// What a gateway calls whether requests come or not: the heartbeat, whose timer wakes other threads. Measured:
    /// 350 to 380 calls of futex per second, and less of anything else.
    /// </summary>
    private const int IdleCallsPerSecond = 600;

    private static readonly string[] Sends = ["sendto", "sendmsg", "writev"];
    private static readonly string[] Receives = ["recvfrom", "recvmsg", "readv"];
    private static readonly string[] Waits = ["io_uring_enter", "epoll_wait", "epoll_pwait", "epoll_pwait2"];

    [Test]
    public async Task A_keep_alive_GET_over_sockets_costs_two_sends_and_at_most_five_receives()
    {
        var calls = await CountAsync(Transports.Sockets, clients: 1);

        Assert.That(calls.Of(Sends), Is.EqualTo(SendsPerRequest * Requests), $"{calls}");
        Assert.That(calls.Of(Receives), Is.InRange(2 * Requests, ReceivesPerRequestMax * Requests), $"{calls}");
        CallsNothingElse(calls);
    }

    /// <summary>
    /// A loop wakes for the request and for the response, and hands everything new to the kernel when it waits again.
    /// Nothing is received in vain. Measured: exactly 2 waits and 2 receives.
    /// </summary>
    [Test]
    public async Task A_keep_alive_GET_over_io_uring_costs_two_sends_two_waits_and_at_most_two_receives()
    {
        var calls = await CountAsync(Transports.Ring, clients: 1);

        Assert.That(calls.Of(Sends), Is.EqualTo(SendsPerRequest * Requests), $"{calls}");
        Assert.That(calls.Of(Receives), Is.LessThan(2.01 * Requests), $"{calls}");
        Assert.That(calls.Of(Waits), Is.LessThan(2.05 * Requests), $"{calls}");
        CallsNothingElse(calls);
    }

    /// <summary>A turn of a loop serves everybody who has sent something meanwhile. Measured: 0.13 to 0.15.</summary>
    [Test]
    public async Task Many_clients_share_the_waits_of_io_uring_so_that_a_GET_costs_at_most_half_of_one()
    {
        var calls = await CountAsync(Transports.Ring, clients: 32);

        Assert.That(calls.Of(Sends), Is.EqualTo(SendsPerRequest * Requests), $"{calls}");
        Assert.That(calls.Of(Receives), Is.LessThan(2.05 * Requests), $"{calls}");
        Assert.That(calls.Of(Waits), Is.LessThan(0.5 * Requests), $"{calls}");
        CallsNothingElse(calls);
    }

    // No lock that is contended, no thread that is woken, no timer that is set: each would be one call per request.
    private static void CallsNothingElse(Calls calls)
    {
        var most = 0.05 * Requests + IdleCallsPerSecond * calls.Seconds;
        var others = calls.Counts.Keys.Except([.. Sends, .. Receives, .. Waits]);

        Assert.That(others.Where(name => calls.Of(name) > most), Is.Empty, $"at most {most:0} of each; {calls}");
    }

    private static async Task<Calls> CountAsync(string transport, int clients)
    {
        using var gets = new SmallGets();
        await using var gateway = await TracedGateway.StartAsync(transport, gets.Backend);
        await SmallGets.AskAsync(gateway.Address, clients, WarmUpRequests / clients);
        await AreSentAsync(WarmUpRequests);
        var before = gateway.Calls();

        var started = Stopwatch.GetTimestamp();
        await SmallGets.AskAsync(gateway.Address, clients, Requests / clients);
        await AreSentAsync(WarmUpRequests + Requests);
        var after = gateway.Calls();
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;

        var counts = after.Select(call => (call.Key, call.Value - before.GetValueOrDefault(call.Key)))
            .Where(call => call.Item2 > 0).ToDictionary();
        var calls = new Calls(counts, seconds);
        TestContext.Out.WriteLine($"{transport}, {clients} clients: {calls}");
        return calls;

        // A call is written down after it was made: the last client may have its answer before.
        Task AreSentAsync(int requests)
            => Eventually.HoldsAsync(
                () => Sends.Sum(name => gateway.Calls().GetValueOrDefault(name)) >= SendsPerRequest * requests,
                () => $"{requests} requests and responses are sent");
    }

    private sealed record Calls(Dictionary<string, long> Counts, double Seconds)
    {
        public long Of(params string[] names) => names.Sum(name => Counts.GetValueOrDefault(name));

        public override string ToString()
        {
            var listed = Counts.OrderByDescending(call => call.Value).Select(call => $"{call.Key} {call.Value}");
            return $"{Requests} requests in {Seconds:0.0} s: {string.Join(", ", listed)}";
        }
    }
}
