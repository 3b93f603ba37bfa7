using System.Text;
using NUnit.Framework;
using PolyBalance.Configuration;
using PolyBalance.Topology;

namespace PolyBalance.Tests.Topology;

internal sealed class RouteTests
{
    [TestCase(null, "anything.example", ExpectedResult = true)]
    [TestCase(null, "", ExpectedResult = true)]
    [TestCase("api.example.com", "api.example.com", ExpectedResult = true)]
    [TestCase("api.example.com", "API.Example.COM", ExpectedResult = true)]
    [TestCase("api.example.com", "xapi.example.com", ExpectedResult = false)]
    [TestCase("api.example.com", "api.example.co", ExpectedResult = false)]
    [TestCase("api.example.com", "", ExpectedResult = false)]
    [TestCase("*.example.com", "a.example.com", ExpectedResult = true)]
    [TestCase("*.example.com", "A.B.EXAMPLE.com", ExpectedResult = true)]
    [TestCase("*.example.com", "example.com", ExpectedResult = false)]
    [TestCase("*.example.com", ".example.com", ExpectedResult = false)]
    [TestCase("*.example.com", "badexample.com", ExpectedResult = false)]
    [TestCase("*.example.com", "a.example.com.evil", ExpectedResult = false)]
    [TestCase("[::1]", "[::1]", ExpectedResult = true)]
    [TestCase("[::1]", "[::2]", ExpectedResult = false)]
    public bool Matches_the_host(string? route, string host) => Make(route, "/").Matches(Bytes(host), "/"u8);

    [TestCase("/", "/", ExpectedResult = true)]
    [TestCase("/", "/anything/at/all", ExpectedResult = true)]
    [TestCase("/", "*", ExpectedResult = true)]
    [TestCase("/v1", "/v1", ExpectedResult = true)]
    [TestCase("/v1", "/v1/", ExpectedResult = true)]
    [TestCase("/v1", "/v1/users", ExpectedResult = true)]
    [TestCase("/v1", "/v10", ExpectedResult = false)]
    [TestCase("/v1", "/V1", ExpectedResult = false)]
    [TestCase("/v1", "/", ExpectedResult = false)]
    [TestCase("/v1/", "/v1", ExpectedResult = true)]
    [TestCase("/v1/", "/v1/users", ExpectedResult = true)]
    [TestCase("/v1/", "/v10/users", ExpectedResult = false)]
    [TestCase("/a/b", "/a/b/c", ExpectedResult = true)]
    [TestCase("/a/b", "/a", ExpectedResult = false)]
    [TestCase("/a/b", "/a/%62", ExpectedResult = false, TestName = "a path is compared as it was sent")]
    public bool Matches_the_path(string route, string path) => Make(null, route).Matches("x"u8, Bytes(path));

    [Test]
    public void Host_and_path_must_both_match()
    {
        var route = Make("a.example", "/v1");

        Assert.That(route.Matches("a.example"u8, "/v1"u8), Is.True);
        Assert.That(route.Matches("a.example"u8, "/"u8), Is.False);
        Assert.That(route.Matches("b.example"u8, "/v1"u8), Is.False);
    }

    [Test]
    public void The_longest_content_is_what_the_user_wrote_or_no_limit()
    {
        Assert.That(Make(null, "/").BodyBytesMax, Is.EqualTo(long.MaxValue));
        Assert.That(new Route(0, new() { Cluster = "web", MaxBody = 10 }, null!).BodyBytesMax, Is.EqualTo(10));
    }

    private static Route Make(string? host, string path)
        => new(0, new RouteOptions { Host = host, Path = path, Cluster = "web" }, null!);

    private static byte[] Bytes(string text) => Encoding.ASCII.GetBytes(text);
}
