using System.Net;
using System.Net.Sockets;
using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Backends;

internal sealed class BackendAddressTests
{
    [TestCase("10.0.0.1", "10.0.0.1:80")]
    [TestCase("::1", "[::1]:80")]
    public async Task A_literal_needs_no_look_up(string host, string expected)
    {
        var resolving = new BackendAddress(Address.Tcp(host, 80), new ManualClock()).ResolveAsync();

        Assert.That(resolving.IsCompleted, Is.True);
        Assert.That((await resolving).Select(address => address.ToString()), Is.EqualTo(new[] { expected }));
    }

    [Test]
    public async Task A_unix_path_is_a_unix_socket()
    {
        var addresses = await new BackendAddress(Address.Unix("/run/app.sock"), new ManualClock()).ResolveAsync();

        Assert.That(addresses, Has.Length.EqualTo(1));
        Assert.That(addresses[0], Is.InstanceOf<UnixDomainSocketEndPoint>());
        Assert.That(addresses[0].ToString(), Is.EqualTo("/run/app.sock"));
    }

    [Test]
    public async Task A_name_stands_for_all_its_addresses_in_the_order_of_the_system()
    {
        var expected = Array.ConvertAll(await Dns.GetHostAddressesAsync("localhost"), ip => new IPEndPoint(ip, 8080));

        var address = new BackendAddress(Address.Tcp("localhost", 8080), new ManualClock());
        var addresses = await address.ResolveAsync().InTime();

        Assert.That(addresses, Is.EqualTo(expected));
        Assert.That(addresses, Is.Not.Empty);
    }

    [Test]
    public async Task A_name_is_remembered_for_ten_seconds_and_then_looked_up_beside_the_way()
    {
        var clock = new ManualClock();
        var address = new BackendAddress(Address.Tcp("localhost", 8080), clock);
        var first = await address.ResolveAsync().InTime();

        clock.Advance(TimeSpan.FromSeconds(9));
        var remembered = address.ResolveAsync();
        Assert.That(remembered.IsCompleted, Is.True);
        Assert.That(await remembered, Is.SameAs(first));

        clock.Advance(TimeSpan.FromSeconds(2));
        var stale = address.ResolveAsync();
        Assert.That(stale.IsCompleted, Is.True);
        Assert.That(await stale, Is.SameAs(first));
        await Eventually.HoldsAsync(() => IsRenewed(address, first), () => "the name is looked up again");
    }

    [Test]
    public async Task A_name_that_nobody_knows_has_no_address()
    {
        // Longer than a label may be: no resolver asks the network for it.
        var address = new BackendAddress(Address.Tcp(new string('a', 80), 80), new ManualClock());

        Assert.That(await address.ResolveAsync().InTime(), Is.Empty);
        Assert.That(await address.ResolveAsync().InTime(), Is.Empty);
    }

    private static bool IsRenewed(BackendAddress address, EndPoint[] first)
    {
        var resolving = address.ResolveAsync();
        return resolving.IsCompletedSuccessfully && !ReferenceEquals(resolving.GetAwaiter().GetResult(), first);
    }
}
