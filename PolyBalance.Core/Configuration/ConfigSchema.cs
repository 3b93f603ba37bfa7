using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PolyBalance.Configuration;

/// <summary>
/// The configuration as a JSON Schema, so that editors complete keys and mark mistakes while somebody types. Made of
/// what the readers say of their keys, as the reference is.
/// </summary>
/// <remarks>
/// Whatever the readers accept fits the schema. What no schema can say, such as a timeout that must not be longer than
/// an interval, only they find.
/// </remarks>
public sealed class ConfigSchema
{
    private const string Dialect = "https://json-schema.org/draft/2020-12/schema";

    private static readonly TextForm Variable = new("variable",
        "A value from the environment: write `${NAME}` or `${NAME:-default}`.", Pattern: "");

    private readonly ILookup<string, ConfigKey> _keys =
        ConfigReference.Keys().ToLookup(key => key.Section, StringComparer.Ordinal);

    private readonly SortedDictionary<string, TextForm> _texts = new(StringComparer.Ordinal);

    private ConfigSchema()
    {
    }

    /// <summary>The schema: JSON, indented, the same for the same version of PolyBalance.</summary>
    public static string Write()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new()
        {
            Indented = true,
            NewLine = "\n",

            // The text is for editors and people, not for a web page.
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        }))
            new ConfigSchema().Whole().WriteTo(writer);

        return Encoding.UTF8.GetString(buffer.WrittenSpan) + "\n";
    }

    private JsonObject Whole()
    {
        var whole = new JsonObject
        {
            ["$schema"] = Dialect,
            ["title"] = "polybalance.yaml",
            ["description"] = "The configuration of PolyBalance. Made by `polybalance schema`.",
        };
        Add(whole, Section("", canBeNull: false));
        var texts = new JsonObject();
        foreach (var (name, text) in _texts)
            texts[name] = Text(text);
        whole["$defs"] = texts;
        return whole;
    }

    private JsonObject Section(string path, bool canBeNull)
    {
        var properties = new JsonObject();
        foreach (var key in _keys[path])
            properties[key.Name] = Key(key);

        var section = new JsonObject { ["type"] = Type("object", canBeNull), ["additionalProperties"] = false };
        var required = _keys[path].Where(key => key.IsRequired).Select(key => (JsonNode)key.Name).ToArray();
        if (required.Length > 0)
            section["required"] = new JsonArray(required);
        if (_keys[path].FirstOrDefault(key => key.Alternatives.Count > 0) is { Alternatives: var alternatives })
            section["anyOf"] = new JsonArray([.. alternatives.Select(Having)]);
        section["properties"] = properties;
        return section;
    }

    private static JsonNode Having(string key) => new JsonObject { ["required"] = new JsonArray(key) };

    private JsonObject Key(ConfigKey key)
    {
        var bounds = key.Form is { Bounds.Length: > 0 } form ? " " + form.Bounds : "";
        var schema = new JsonObject { ["description"] = key.Purpose + bounds };
        if (key.Default is { } shown)
            schema["default"] = Default(key, shown);
        Add(schema, key.Kind switch
        {
            KeyKind.List => new()
            {
                ["type"] = Type("array", !key.IsRequired),
                ["items"] = Value(key.Form!, canBeNull: false),
            },
            KeyKind.Pairs => new()
            {
                ["type"] = Type("object", !key.IsRequired),
                ["propertyNames"] = Names(key.Names!),
                ["additionalProperties"] = Value(key.Form!, canBeNull: true),
            },
            KeyKind.Section => Section(key.Inside, !key.IsRequired),
            KeyKind.SectionOrOff => OneOf(
                new() { ["const"] = "off" }, Section(key.Inside, canBeNull: true), Reference(Variable)),
            KeyKind.Items => Items(key),
            KeyKind.Entries => Entries(key),
            _ => Value(key.Form!, !key.IsRequired),
        });
        return schema;
    }

    private JsonObject Items(ConfigKey key)
    {
        var item = Section(key.Inside, canBeNull: false);
        var shorthand = _keys[key.Inside].FirstOrDefault(inner => inner.Name == key.Shorthand);
        var items = new JsonObject { ["type"] = Type("array", !key.IsRequired) };
        if (key.IsFilled)
            items["minItems"] = 1;
        items["items"] = shorthand is null ? item : OneOf(Reference(shorthand.Form!.Text!), item);
        return items;
    }

    private JsonObject Entries(ConfigKey key)
    {
        var entries = new JsonObject { ["type"] = Type("object", !key.IsRequired) };
        if (key.IsFilled)
            entries["minProperties"] = 1;
        entries["propertyNames"] = Names(key.Names!);
        entries["additionalProperties"] = Section(key.Inside, canBeNull: false);
        return entries;
    }

    // Every way of writing a value takes a text that has a variable in it; so no value fits two of them.
    private JsonObject Value(ConfigForm form, bool canBeNull)
    {
        if (form.Bare == BareValue.Anything)
            return new() { ["type"] = new JsonArray("string", "number", "boolean", "null") };

        var ways = new List<JsonObject>();
        if (form.Choices.Count > 0)
            ways.Add(new() { ["enum"] = new JsonArray([.. form.Choices.Select(choice => (JsonNode)choice)]) });
        if (form.Bare == BareValue.Number)
        {
            ways.Add(new()
            {
                ["type"] = "integer",
                ["minimum"] = form.Numbers.Min,
                ["maximum"] = form.Numbers.Max,
            });
        }

        if (form.Bare == BareValue.Truth)
            ways.Add(new() { ["type"] = "boolean" });
        ways.Add(Reference(form.Text ?? Variable));
        if (canBeNull)
            ways.Add(new() { ["type"] = "null" });
        return OneOf([.. ways]);
    }

    private JsonObject Reference(TextForm text)
    {
        _texts[text.Name] = text;
        return new() { ["$ref"] = $"#/$defs/{text.Name}" };
    }

    private static JsonObject Text(TextForm text) => new()
    {
        ["description"] = text.Advice,
        ["type"] = "string",
        ["pattern"] = text.Pattern.Length == 0 ? @"\$\{" : $@"^(?:{text.Pattern})$|\$\{{",

        // What editors show instead of the pattern.
        ["patternErrorMessage"] = text.Advice,
    };

    // Variables are never put into keys.
    private static JsonObject Names(TextForm text) => new()
    {
        ["pattern"] = $"^(?:{text.Pattern})$",
        ["patternErrorMessage"] = text.Advice,
    };

    private static JsonNode Default(ConfigKey key, string shown)
        => key.Kind == KeyKind.List ? new JsonArray()
            : key.Form?.Bare == BareValue.Truth ? JsonValue.Create(shown == "true")
            : key.Form?.Bare == BareValue.Number
                && long.TryParse(shown, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? JsonValue.Create(number)
            : JsonValue.Create(shown);

    private static JsonNode Type(string name, bool canBeNull) => canBeNull ? new JsonArray(name, "null") : name;

    private static JsonObject OneOf(params JsonObject[] ways)
        => ways.Length == 1 ? ways[0] : new() { ["oneOf"] = new JsonArray([.. ways]) };

    private static void Add(JsonObject into, JsonObject what)
    {
        foreach (var (name, value) in what.ToList())
        {
            what.Remove(name);
            into[name] = value;
        }
    }
}
