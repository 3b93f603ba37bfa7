using NUnit.Framework;
using PolyBalance.Configuration;

namespace PolyBalance.Tests.Configuration;

internal sealed class AddressTests
{
    [TestCase("10.0.0.1:8080", "10.0.0.1", 8080)]
    [TestCase(":8000", "", 8000)]
    [TestCase("localhost:1", "localhost", 1)]
    [TestCase("[::1]:65535", "::1", 65535)]
    [TestCase("web_1.internal:80", "web_1.internal", 80)]
    [TestCase("example.com.:80", "example.com.", 80)]
    public void A_listener_is_a_host_and_a_port(string text, string host, int port)
    {
        var address = Address.ParseListener(text, portMin: 1).Value;

        Assert.That((address.Host, address.Port, address.IsUnix), Is.EqualTo((host, port, false)));
        Assert.That(address.ToString(), Is.EqualTo(text));
    }

    [TestCase("http://10.0.0.1:8080", "10.0.0.1:8080")]
    [TestCase("http://10.0.0.1:8080/", "10.0.0.1:8080")]
    [TestCase("http://b1", "b1:80")]
    [TestCase("HTTP://B1/", "b1:80")]
    [TestCase("http://[::1]", "[::1]:80")]
    [TestCase("b1:8080", "b1:8080")]
    [TestCase("[0:0::1]:80", "[::1]:80")]
    [TestCase("unix:/run/app.sock", "unix:/run/app.sock")]
    public void A_backend_can_be_written_as_an_address_or_as_a_url(string text, string canonical)
    {
        var parsed = Address.ParseBackend(text);

        Assert.That(parsed.Flaw, Is.Null);
        Assert.That(parsed.Value.ToString(), Is.EqualTo(canonical));
    }

    [TestCase("https://b1", "TLS to backends is not part of this version")]
    [TestCase("ftp://b1", "is no scheme")]
    [TestCase("http://b1:80/app", "leave out `/app`")]
    [TestCase("http://b1?x", "leave out `?x`")]
    [TestCase("b1", "write `b1:80`")]
    [TestCase("8080", "write `127.0.0.1:8080`")]
    [TestCase(":8080", "write `127.0.0.1:8080`")]
    [TestCase("b1:0", "outside 1 to 65535; write at least `1`")]
    [TestCase("b1:65536", "outside 1 to 65535; write at most `65535`")]
    [TestCase("b1:080", "`080` is no port")]
    [TestCase("b1:http", "`http` is no port")]
    [TestCase("b1:", "is no port")]
    [TestCase("::1", "write `[::1]:port`")]
    [TestCase("a:b:c", "write `host:port`")]
    [TestCase("[::1", "lacks a `]`")]
    [TestCase("[::1]x", "write `[v6]:port`")]
    [TestCase("[10.0.0.1]:80", "brackets are for IPv6")]
    [TestCase("[fe80::1%eth0]:80", "is no IPv6 address")]
    [TestCase("256.0.0.1:80", "is no IPv4 address")]
    [TestCase("010.0.0.1:80", "is no IPv4 address")]
    [TestCase("127.1:80", "is no IPv4 address")]
    [TestCase("-web:80", "is no host name")]
    [TestCase("we b:80", "is no host name")]
    [TestCase("a..b:80", "is no host name")]
    [TestCase("", "is no host name")]
    [TestCase("unix:run/app.sock", "is not absolute")]
    [TestCase("unix:", "is not absolute")]
    public void A_wrong_backend_is_refused_with_a_reason(string text, string expected)
    {
        var flaw = Address.ParseBackend(text).Flaw;

        Assert.That($"{flaw?.Problem}; {flaw?.Remedy}", Does.Contain(expected));
    }

    [TestCase("8000", "write `:8000`")]
    [TestCase("http://0.0.0.0:80", "is a URL")]
    [TestCase(":0", "outside 1 to 65535")]
    [TestCase("*:80", "is no address; write `:80` to listen on every address")]
    public void A_wrong_listener_is_refused_with_a_reason(string text, string expected)
    {
        var flaw = Address.ParseListener(text, portMin: 1).Flaw;

        Assert.That($"{flaw?.Problem}; {flaw?.Remedy}", Does.Contain(expected));
    }

    [Test]
    public void A_socket_path_must_fit_the_kernels_address()
    {
        Assert.That(Address.ParseBackend("unix:/" + new string('x', 106)).Flaw, Is.Null);
        Assert.That(Address.ParseBackend("unix:/" + new string('x', 107)).Flaw?.Problem, Does.Contain("107 bytes"));
    }

    [TestCase("127.0.0.1:0")]
    [TestCase("[::]:0")]
    [TestCase("unix:/run/x.sock")]
    [TestCase(":80")]
    public void What_an_address_writes_it_reads(string text)
    {
        Assert.That(Address.TryParse(text, out var address));
        Assert.That(address!.ToString(), Is.EqualTo(text));
        Assert.That(Address.TryParse(address.ToString(), out var again) && again == address);
    }

    [TestCase("nonsense", ExpectedResult = false)]
    [TestCase("127.0.0.1:0", ExpectedResult = true)]
    public bool Reading_says_whether_it_worked(string text) => Address.TryParse(text, out _);

    [TestCase("127.0.0.1:1", ExpectedResult = true)]
    [TestCase("127.8.8.8:1", ExpectedResult = true)]
    [TestCase("[::1]:1", ExpectedResult = true)]
    [TestCase("localhost:1", ExpectedResult = true)]
    [TestCase("unix:/x", ExpectedResult = true)]
    [TestCase(":1", ExpectedResult = false)]
    [TestCase("0.0.0.0:1", ExpectedResult = false)]
    [TestCase("10.0.0.1:1", ExpectedResult = false)]
    [TestCase("example.com:1", ExpectedResult = false)]
    public bool Loopback_is_what_other_machines_cannot_reach(string text)
        => Address.ParseListener(text, portMin: 1).Value.IsLoopback;

    [TestCase(":80", ":80", ExpectedResult = true)]
    [TestCase(":80", ":81", ExpectedResult = false)]
    [TestCase(":80", "10.0.0.1:80", ExpectedResult = true)]
    [TestCase("[::1]:80", ":80", ExpectedResult = true)]
    [TestCase("0.0.0.0:80", "10.0.0.1:80", ExpectedResult = true)]
    [TestCase("0.0.0.0:80", "[::1]:80", ExpectedResult = false)]
    [TestCase("10.0.0.1:80", "10.0.0.2:80", ExpectedResult = false)]
    [TestCase("unix:/a", "unix:/a", ExpectedResult = true)]
    [TestCase("unix:/a", "unix:/b", ExpectedResult = false)]
    [TestCase("unix:/a", ":80", ExpectedResult = false)]
    [TestCase(":0", ":0", ExpectedResult = false)]
    public bool Two_listeners_overlap_when_the_system_would_refuse_the_second(string one, string other)
        => Address.ParseListener(one, portMin: 0).Value.Overlaps(Address.ParseListener(other, portMin: 0).Value);
}
