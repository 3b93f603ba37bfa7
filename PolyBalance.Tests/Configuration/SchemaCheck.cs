using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Json.Schema;
using PolyBalance.Configuration;

namespace PolyBalance.Tests.Configuration;

/// <summary>Holds configurations to the schema, as an editor does that knows nothing of PolyBalance.</summary>
internal static class SchemaCheck
{
    private static readonly JsonSchema Schema = JsonSchema.FromText(ConfigSchema.Write());

    /// <summary>The schema as a tree.</summary>
    public static JsonNode Tree => JsonNode.Parse(ConfigSchema.Write())!;

    /// <summary>Whether a configuration fits the schema.</summary>
    public static bool Fits(string text) => Fits(AsJson(text));

    /// <inheritdoc cref="Fits(string)"/>
    public static bool Fits(JsonNode? configuration)
    {
        using var document = JsonDocument.Parse(configuration?.ToJsonString() ?? "null");
        return Schema.Evaluate(document.RootElement).IsValid;
    }

    /// <summary>What YAML 1.2 makes of a text. Variables stay what they are, as in an editor.</summary>
    public static JsonNode? AsJson(string text)
    {
        var report = new ConfigReport();
        var tree = YamlReader.Read(text, Parsing.File, environment: null, report);
        return report.HasErrors
            ? throw new ArgumentException(string.Join("\n", report.Errors), nameof(text))
            : AsJson(tree);
    }

    /// <summary>Whether a text is YAML, whatever it says.</summary>
    public static bool IsYaml(string text)
    {
        var report = new ConfigReport();
        YamlReader.Read(text, Parsing.File, environment: null, report);
        return !report.HasErrors;
    }

    private static JsonNode? AsJson(ConfigNode? node) => node switch
    {
        ConfigMap map => new JsonObject(
            map.Entries.Select(entry => KeyValuePair.Create(entry.Key, AsJson(entry.Value)))),
        ConfigList list => new JsonArray([.. list.Items.Select(AsJson)]),
        ConfigScalar { IsNull: true } or null => null,
        ConfigScalar { IsPlain: true, Text: var bare } => Resolve(bare),
        ConfigScalar { Text: var quoted } => quoted,
        _ => throw new ArgumentException("an unreadable value", nameof(node)),
    };

    // YAML 1.2.2 §10.3.2, the core schema.
    private static JsonNode Resolve(string text)
        => Regex.IsMatch(text, "^(true|True|TRUE|false|False|FALSE)$") ? bool.Parse(text)
            : Regex.IsMatch(text, "^[-+]?[0-9]+$") ? (JsonNode)decimal.Parse(text, CultureInfo.InvariantCulture)
            : Regex.IsMatch(text, @"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")
                ? double.Parse(text, CultureInfo.InvariantCulture)
            : text;
}
