using NUnit.Framework;
using PolyBalance.Balancing;
using PolyBalance.Configuration;
using PolyBalance.Tests.Http;

namespace PolyBalance.Tests.Balancing;

internal sealed class AffinityKeyTests
{
    [TestCase("path", "/a/b%20c")]
    [TestCase("host", "shop.example:8080")]
    [TestCase("header:x-user", "Ann")]
    [TestCase("cookie:session", "s=1")]
    [TestCase("query:id", "42")]
    public void The_key_is_the_hash_of_what_the_request_carries(string key, string expected)
        => Assert.That(Of(key, """
            GET /a/b%20c?ids=1&id=42&id=43 HTTP/1.1
            Host: Shop.Example:8080
            X-Users: Bob
            X-User: Ann
            Cookie: presession=x; session=s=1
            Cookie: session=second


            """), Is.EqualTo(StableHash.Of(expected)));

    [TestCase("client_ip")]
    [TestCase("header:X-User")]
    [TestCase("header:X-Empty")]
    [TestCase("cookie:session")]
    [TestCase("query:id")]
    public void A_request_without_it_has_no_key_of_its_own(string key)
        => Assert.That(Of(key, """
            GET /?id=&idle=1 HTTP/1.1
            Host: x
            X-Empty:
            Cookie: Session=other; session


            """), Is.Zero);

    [Test]
    public void A_second_cookie_line_is_read_when_the_first_does_not_have_it()
        => Assert.That(Of("cookie:session", "GET / HTTP/1.1\nHost: x\nCookie: a=b\nCookie: session=7\n\n"),
            Is.EqualTo(StableHash.Of("7"u8)));

    [Test]
    public void Clients_are_told_apart_by_their_addresses_and_one_without_has_no_key()
    {
        Assert.That(AffinityKey.OfClient("10.0.0.1"), Is.EqualTo(StableHash.Of("10.0.0.1"u8)));
        Assert.That(AffinityKey.OfClient("10.0.0.1"), Is.Not.EqualTo(AffinityKey.OfClient("10.0.0.2")));
        Assert.That(AffinityKey.OfClient(""), Is.Zero);
    }

    [Test]
    public void Finding_the_key_allocates_nothing()
    {
        var affinity = new AffinityKey(new(HashKeyKind.Cookie, "session"));
        var request = HttpText.Request("GET / HTTP/1.1\r\nHost: x\r\nCookie: a=b; session=7\r\n\r\n");
        var sum = affinity.Of(request);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 1_000; round++)
            sum += affinity.Of(request) + AffinityKey.OfClient("10.0.0.1");
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero, $"{sum}");
    }

    private static ulong Of(string key, string request)
        => new AffinityKey(HashKey.Parse(key).Value).Of(HttpText.Request(request.ReplaceLineEndings("\r\n")));
}
