using System.Buffers;
using System.Text;
using NUnit.Framework;
using PolyBalance.Http;

namespace PolyBalance.Tests.Topology;

internal sealed class RouteTableTests
{
    private const string File =
        """
        routes:
          - { match: { host: api.example.com, path: /v1/ }, cluster: v1 }
          - { match: { host: api.example.com }, cluster: api }
          - { match: { host: "*.example.com" }, cluster: wild }
          - { match: { host: "[::1]" }, cluster: v6 }
          - { match: { path: /static }, cluster: static }
        clusters:
          v1: { backends: [ "10.0.0.1:80" ] }
          api: { backends: [ "10.0.0.1:80" ] }
          wild: { backends: [ "10.0.0.1:80" ] }
          v6: { backends: [ "10.0.0.1:80" ] }
          static: { backends: [ "10.0.0.1:80" ] }
        """;

    [TestCase("GET /v1/users HTTP/1.1\r\nHost: api.example.com\r\n\r\n", "v1")]
    [TestCase("GET /v1 HTTP/1.1\r\nHost: API.example.com:8000\r\n\r\n", "v1")]
    [TestCase("GET /v2?/v1/ HTTP/1.1\r\nHost: api.example.com\r\n\r\n", "api")]
    [TestCase("GET /v1?x=1 HTTP/1.1\r\nHost: api.example.com\r\n\r\n", "v1")]
    [TestCase("GET /v1/ HTTP/1.1\r\nHost: www.example.com:80\r\n\r\n", "wild")]
    [TestCase("GET http://api.example.com/v1/ HTTP/1.1\r\nHost: api.example.com\r\n\r\n", "v1")]
    [TestCase("GET http://api.example.com HTTP/1.1\r\nHost: api.example.com\r\n\r\n", "api")]
    [TestCase("OPTIONS * HTTP/1.1\r\nHost: api.example.com\r\n\r\n", "api")]
    [TestCase("GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n", "v6")]
    [TestCase("GET / HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n", "v6")]
    [TestCase("GET /static/a.css HTTP/1.1\r\nHost: elsewhere\r\n\r\n", "static")]
    [TestCase("GET /static HTTP/1.0\r\n\r\n", "static")]
    [TestCase("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", null)]
    [TestCase("GET / HTTP/1.0\r\n\r\n", null)]
    public async Task The_first_route_that_matches_wins(string request, string? cluster)
    {
        await using var worlds = new Worlds();

        var route = worlds.Build(File).Routes.Match(Parse(request));

        Assert.That(route?.Cluster.Name, Is.EqualTo(cluster));
    }

    [Test]
    public async Task Without_routes_the_only_cluster_takes_everything()
    {
        await using var worlds = new Worlds();
        var snapshot = worlds.Build("clusters: { web: { backends: [ \"10.0.0.1:80\" ] } }");
        var head = Parse("GET /any HTTP/1.1\r\nHost: any\r\n\r\n");

        Assert.That(snapshot.Routes.Match(head)?.Cluster, Is.SameAs(snapshot.Clusters[0]));
    }

    [Test]
    public async Task Routes_know_their_place_in_the_file()
    {
        await using var worlds = new Worlds();

        var routes = worlds.Build(File).Routes.Routes;

        Assert.That(routes.Select(route => route.Index), Is.EqualTo(new[] { 0, 1, 2, 3, 4 }));
        Assert.That(
            routes.Select(route => route.Cluster.Name), Is.EqualTo(new[] { "v1", "api", "wild", "v6", "static" }));
    }

    private static RequestHead Parse(string request)
    {
        var head = new RequestHead();
        head.Take(new ReadOnlySequence<byte>(Encoding.ASCII.GetBytes(request)));
        var limits = new HeadLimits(Limits.HeadBytesDefault, Limits.FieldLinesDefault);
        Assert.That(HeadParser.TryParseRequest(head, limits, out var failure), Is.True, failure.ToString());
        return head;
    }
}
