using System.Text.Json;
using System.Text.Json.Nodes;
using NUnit.Framework;
using PolyBalance.Admin;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Admin;

/// <summary>The description of the admin listener says what the admin listener does.</summary>
internal sealed class OpenApiTests
{
    private const string One = """
        listeners: [ { bind: "127.0.0.1:1" } ]
        admin: { bind: "127.0.0.1:9" }
        clusters: { web: { health: off, backends: [ { address: "127.0.0.1:2", name: a } ] } }
        """;

    [Test]
    public async Task Every_path_has_the_methods_that_are_described()
    {
        await using var gateway = await LiveGateway.StartAsync(One);
        foreach (var group in Operations.All.GroupBy(operation => operation.Path))
        {
            var path = group.Key.Replace("{id}", "a", StringComparison.Ordinal);
            var (status, _, response) = await gateway.AskAsync("PURGE", path, "{}");
            var described = group.Select(operation => operation.Method);
            if (described.Contains("GET"))
                described = described.Append("HEAD");

            Assert.That((path, status), Is.EqualTo((path, 405)));
            Assert.That(response.Content.Headers.Allow, Is.EquivalentTo(described), path);
        }
    }

    [Test]
    public async Task The_document_is_served_as_it_is_kept()
    {
        await using var gateway = await LiveGateway.StartAsync(One);
        var (status, json, _) = await gateway.AskAsync("GET", "/admin/openapi.json");
        var kept = await File.ReadAllTextAsync(
            Repository.PathOf("PolyBalance.Host", "surface", "admin.openapi.json"));

        Assert.That(status, Is.EqualTo(200));
        Assert.That(JsonNode.DeepEquals(JsonNode.Parse(json.GetRawText()), JsonNode.Parse(kept)));
    }

    [Test]
    public void Every_reference_leads_somewhere()
    {
        var document = JsonNode.Parse(OpenApi.Content.Span)!;
        var references = new List<string>();
        Collect(document, references);

        Assert.That(references, Is.Not.Empty);
        foreach (var reference in references.Distinct())
        {
            var place = reference[2..].Split('/').Aggregate((JsonNode?)document, (node, name) => node?[name]);
            Assert.That(place, Is.Not.Null, reference);
        }
    }

    [TestCase("/admin/backends", "post", "address", "weight", "cluster", "health", "drain", "name")]
    [TestCase("/admin/backends/{id}", "patch", "weight", "drain")]
    [TestCase("/admin/algorithm", "post", "cluster", "algorithm")]
    [TestCase("/admin/explain", "post", "method", "url", "client_ip", "headers")]
    [TestCase("/admin/plan", "post", "config", "name")]
    public void What_may_be_sent_is_described_key_by_key(string path, string method, params string[] keys)
    {
        var schema = JsonNode.Parse(OpenApi.Content.Span)!["paths"]![path]![method]!
            ["requestBody"]!["content"]!["application/json"]!["schema"]!;

        Assert.That(schema["properties"]!.AsObject().Select(property => property.Key), Is.SupersetOf(keys));
        Assert.That(schema["additionalProperties"]!.GetValue<bool>(), Is.False);
    }

    private static void Collect(JsonNode? node, List<string> references)
    {
        if (node is JsonObject map)
        {
            foreach (var (name, value) in map)
            {
                if (name == "$ref")
                    references.Add(value!.GetValue<string>());
                else
                    Collect(value, references);
            }
        }
        else if (node is JsonArray list)
        {
            foreach (var one in list)
                Collect(one, references);
        }
    }
}
