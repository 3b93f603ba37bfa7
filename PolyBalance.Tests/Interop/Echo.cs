using System.Text.Json;

namespace PolyBalance.Tests.Interop;

/// <summary>What a backend says it received, as <c>Scripts/backend.js</c> describes it.</summary>
internal sealed record Echo(
    string Method, string Target, string Version, Dictionary<string, string> Fields, long Length, string Sha256)
{
    private static readonly JsonSerializerOptions CamelCase = new(JsonSerializerDefaults.Web);

    /// <summary>Reads the description.</summary>
    /// <param name="json">The response's content, perhaps with lines of its head before it.</param>
    public static Echo Parse(string json)
        => JsonSerializer.Deserialize<Echo>(json[json.IndexOf("{\"method\"", StringComparison.Ordinal)..], CamelCase)!;
}
