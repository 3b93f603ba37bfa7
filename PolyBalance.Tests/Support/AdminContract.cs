using System.Text.Json;
using Json.Schema;
using NUnit.Framework;
using PolyBalance.Admin;

namespace PolyBalance.Tests.Support;

/// <summary>Holds answers of the admin listener to what its description promises.</summary>
internal static class AdminContract
{
    private static readonly Dictionary<string, JsonSchema> Schemas = [];

    /// <summary>Fails when a status is not among those of its operation, or the JSON not what it should be.</summary>
    /// <param name="method">What was asked with.</param>
    /// <param name="path">What was asked.</param>
    /// <param name="status">The answer's status.</param>
    /// <param name="json">Its content; undefined when it is no JSON.</param>
    public static void Check(string method, string path, int status, JsonElement json)
    {
        var asked = method == "HEAD" ? "GET" : method;
        var operation = Operations.All.FirstOrDefault(one => one.Method == asked && IsThere(one.Path, path));
        if (operation is null)
        {
            Assert.That(status, Is.AnyOf(401, 404, 405, 308, 200), $"{method} {path} is no operation");
            return;
        }

        IEnumerable<Outcome> outcomes = [.. operation.Outcomes, .. Operations.ForAll];
        if (operation.Method != "GET")
            outcomes = outcomes.Concat(Operations.ForOrders);
        var outcome = outcomes.FirstOrDefault(one => one.Status == status);
        Assert.That(outcome, Is.Not.Null, $"{method} {path} answers {status}, which is not described");
        if (outcome!.Type is not { } type || method == "HEAD")
            return;

        JsonSchema? schema;
        lock (Schemas)
        {
            if (!Schemas.TryGetValue(type.Type.Name, out schema))
                Schemas[type.Type.Name] = schema = JsonSchema.FromText(OpenApi.SchemaOf(type).ToJsonString());
        }

        Assert.That(schema.Evaluate(json).IsValid, $"{method} {path} {status} is not as described: {json}");
    }

    private static bool IsThere(string template, string path)
    {
        path = path.Split('?')[0];
        if (!template.Contains("{id}", StringComparison.Ordinal))
            return template == path;

        var parts = template.Split("{id}");
        return path.StartsWith(parts[0], StringComparison.Ordinal)
            && path.EndsWith(parts[1], StringComparison.Ordinal)
            && path.Length > template.Length - 4
            && (parts[1].Length > 0 || !(path.EndsWith("/drain", StringComparison.Ordinal)
                || path.EndsWith("/resume", StringComparison.Ordinal)));
    }
}
