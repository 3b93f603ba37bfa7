using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using PolyBalance.Configuration;

namespace PolyBalance.Admin;

/// <summary>The admin listener as an OpenAPI 3.1 document: <c>GET /admin/openapi.json</c>.</summary>
/// <remarks>
/// Made of <see cref="Operations"/>, of the types of the answers, and of what readers say of their keys.
/// </remarks>
internal static class OpenApi
{
    private static readonly JsonSchemaExporterOptions Strict = new() { TreatNullObliviousAsNonNullable = true };

    private static readonly Lazy<byte[]> Made = new(
        static () => JsonSerializer.SerializeToUtf8Bytes(Describe(), AdminJson.Types.JsonObject));

    /// <summary>The document: JSON, indented, the same for the same version.</summary>
    public static ReadOnlyMemory<byte> Content => Made.Value;

    /// <summary>What the JSON of an answer looks like, as a JSON Schema.</summary>
    public static JsonNode SchemaOf(JsonTypeInfo type) => type.GetJsonSchemaAsNode(Strict);

    private static JsonObject Describe()
    {
        var paths = new JsonObject();
        var schemas = new SortedDictionary<string, JsonNode>(StringComparer.Ordinal);
        foreach (var group in Operations.All.GroupBy(operation => operation.Path))
        {
            var path = new JsonObject();
            if (group.Key.Contains("{id}", StringComparison.Ordinal))
                path["parameters"] = new JsonArray(Parameter("id", "path", "As GET /admin/backends calls the backend"));
            foreach (var operation in group)
                path[operation.Method.ToLowerInvariant()] = Describe(operation, schemas);
            paths[group.Key] = path;
        }

        var all = new JsonObject();
        foreach (var (name, schema) in schemas)
            all[name] = schema;
        return new()
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject
            {
                ["title"] = "PolyBalance admin listener",
                ["version"] = MetricsText.Version,
                ["description"] = "Ask what the gateway does and why, and change it while it runs. "
                    + "A path that is there answers other methods with 405 and `Allow`.",
            },
            ["security"] = new JsonArray(new JsonObject(), new JsonObject { ["token"] = new JsonArray() }),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["securitySchemes"] = new JsonObject
                {
                    ["token"] = new JsonObject
                    {
                        ["type"] = "http",
                        ["scheme"] = "bearer",
                        ["description"] = "What `admin.token_file` holds; needed where that is set",
                    },
                },
                ["schemas"] = all,
            },
        };
    }

    private static JsonObject Describe(Operation operation, SortedDictionary<string, JsonNode> schemas)
    {
        var described = new JsonObject { ["summary"] = operation.Summary };
        var isOrder = operation.Method != "GET";
        if (isOrder && operation.Outcomes.Any(outcome => outcome.Status == 412))
        {
            described["parameters"] = new JsonArray(
                Parameter("If-Match", "header", "An `ETag` of before: nothing is done unless it still holds"));
        }

        if (operation.Content is { } bind)
        {
            described["requestBody"] = new JsonObject
            {
                ["required"] = operation.NeedsContent,
                ["content"] = new JsonObject
                {
                    ["application/json"] = new JsonObject
                    {
                        ["schema"] = Section(ConfigReference.Keys(bind).ToLookup(key => key.Section), ""),
                    },
                },
            };
        }

        IEnumerable<Outcome> outcomes = operation.Outcomes;
        if (operation.Path.StartsWith("/admin/", StringComparison.Ordinal))
            outcomes = outcomes.Concat(Operations.ForAll);
        if (isOrder)
            outcomes = outcomes.Concat(Operations.ForOrders);
        var responses = new JsonObject();
        foreach (var outcome in outcomes.OrderBy(outcome => outcome.Status))
            responses[outcome.Status.ToString(CultureInfo.InvariantCulture)] = Describe(outcome, schemas);
        described["responses"] = responses;
        return described;
    }

    private static JsonObject Describe(Outcome outcome, SortedDictionary<string, JsonNode> schemas)
    {
        var described = new JsonObject { ["description"] = outcome.Meaning };
        if (outcome.Type is { } type)
        {
            var name = type.Type.Name;
            schemas.TryAdd(name, SchemaOf(type));
            described["content"] = new JsonObject
            {
                ["application/json"] = new JsonObject
                {
                    ["schema"] = new JsonObject { ["$ref"] = $"#/components/schemas/{name}" },
                },
            };
        }
        else if (outcome.MediaType.Length > 0)
        {
            described["content"] = new JsonObject { [outcome.MediaType] = new JsonObject() };
        }

        return described;
    }

    private static JsonObject Parameter(string name, string place, string meaning) => new()
    {
        ["name"] = name,
        ["in"] = place,
        ["required"] = place == "path",
        ["description"] = meaning,
        ["schema"] = new JsonObject { ["type"] = "string" },
    };

    // What may be sent: the keys that readers ask for. They say more of a value than a schema can.
    private static JsonObject Section(ILookup<string, ConfigKey> keys, string place)
    {
        var properties = new JsonObject();
        foreach (var key in keys[place])
            properties[key.Name] = Key(keys, key);
        var section = new JsonObject { ["type"] = "object", ["additionalProperties"] = false };
        var required = keys[place].Where(key => key.IsRequired).Select(key => (JsonNode)key.Name).ToArray();
        if (required.Length > 0)
            section["required"] = new JsonArray(required);
        section["properties"] = properties;
        return section;
    }

    private static JsonObject Key(ILookup<string, ConfigKey> keys, ConfigKey key)
    {
        var described = key.Kind switch
        {
            KeyKind.List => new JsonObject { ["type"] = "array", ["items"] = Value(key.Form!) },
            KeyKind.Pairs => new JsonObject { ["type"] = "object", ["additionalProperties"] = Value(key.Form!) },
            KeyKind.Section => Section(keys, key.Inside),
            KeyKind.SectionOrOff => new JsonObject
            {
                ["oneOf"] = new JsonArray(new JsonObject { ["const"] = "off" }, Section(keys, key.Inside)),
            },
            _ => Value(key.Form!),
        };
        var words = key.Form?.Words ?? "";
        described["description"] = words.Length > 0 ? $"{key.Purpose} ({words})" : key.Purpose;
        return described;
    }

    private static JsonObject Value(ConfigForm form)
        => form.Bare switch
        {
            BareValue.Number => new() { ["type"] = new JsonArray("integer", "string") },
            BareValue.Truth => new() { ["type"] = new JsonArray("boolean", "string") },
            _ => new() { ["type"] = "string" },
        };
}
