using System.Text;
using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Backends;

internal sealed class BackendTests
{
    [Test]
    public void Every_attempt_is_counted_and_only_the_backends_own_failures_against_it()
    {
        var backend = SomeBackends.Make(1)[0];
        foreach (var kind in Enum.GetValues<FailureKind>())
        {
            backend.Begin();
            Assert.That(backend.InFlight, Is.EqualTo(1));
            backend.Report(new(kind, Status: 0, ResponseTime: 0, Now: 0));
        }

        var own = Failure.All.ToArray().Count(row => row.Side == Side.Backend && row.Kind != FailureKind.None);
        Assert.That((backend.InFlight, backend.Requests, backend.Failures),
            Is.EqualTo((0, (long)Failure.All.Length, (long)own)));
        Assert.That(own, Is.InRange(5, Failure.All.Length / 2));
    }

    [TestCase("10.0.0.1:80", "10.0.0.1:80")]
    [TestCase("[::1]:8080", "[::1]:8080")]
    [TestCase("unix:/run/app.sock", "localhost")]
    public async Task Its_address_is_also_a_host(string address, string expected)
    {
        Assert.That(Address.TryParse(address, out var parsed), Is.True);
        var clock = new ManualClock();
        await using var memory = new MemoryTransport(clock);
        var key = new BackendKey("web", parsed!, PoolOptions.Default, TimeSpan.FromSeconds(3));
        var backend = new Backend(key, new() { Address = parsed!, Name = "one" }, memory, clock);

        Assert.That(Encoding.ASCII.GetString(backend.HostName.Span), Is.EqualTo(expected));
        Assert.That((backend.Address, backend.Name), Is.EqualTo((address, "one")));
    }
}
