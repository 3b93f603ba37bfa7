using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using NUnit.Framework;
using PolyBalance.Configuration;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Configuration;

/// <summary>
/// The schema says what the readers say. That whatever they accept fits is checked with every valid configuration of
/// the other tests, too: see <see cref="Parsing"/>.
/// </summary>
internal sealed class ConfigSchemaTests
{
    // Every key reads one of these, and what random values are made of.
    private static readonly string[] Fragments =
    [
        "0", "1", "7", "20", "429", "500", "65535", "65536", "01", "-1", "h", "m", "s", "ms", "2s", "1h", "KiB", "kb",
        "%", "30%", "125%", "-", ",", " ", ":", "/", "//", ".", "*", "*.", "[", "]", "[::1]", "::1", "10.0.0.0/8",
        "unix:/", "http://", "HTTP://", "a", "B", "_", "a.example.com", "a:80", ":80", "true", "off", "auto", "stdout",
        "/x", "header:", "cookie:", "round", "Robin", "least", "conn", "rr", "hash", "IP-", "X-Probe", "200-399", "$",
        "é", "web", "8KiB", "tcp", "use_all", "client_ip", "debug", "combined", "sockets",
        "http://127.0.0.1:4317", "grpc", "_a", "_a._b.c", "10.0.0.10",
    ];

    private static IEnumerable<ConfigKey> Keys => ConfigReference.Keys();

    private static IEnumerable<string> Values
        => Keys.Where(key => key.Kind is KeyKind.Value).Select(key => key.Path);

    [Test]
    public void What_the_documentation_shows_fits()
    {
        Assert.That(SchemaCheck.Fits(FullExample.Text));
        Assert.That(SchemaCheck.Fits(Parsing.Smallest));
        Assert.That(SchemaCheck.Fits(File.ReadAllText(Repository.PathOf("polybalance.yaml"))));
    }

    [Test]
    public void Every_key_of_the_reference_is_in_the_schema_with_its_purpose_and_its_default()
    {
        var schema = SchemaCheck.Tree;
        foreach (var line in File.ReadLines(Repository.PathOf("PolyBalance.Host", "surface", "config-keys.txt")))
        {
            var (name, rest) = (line.Split(' ')[0], line[line.IndexOf(' ')..]);
            var key = Find(schema, name);
            var purpose = rest[(rest.IndexOf("): ", StringComparison.Ordinal) + 3)..];

            Assert.That((string?)key["description"], Does.StartWith(purpose), name);
            var shown = rest.StartsWith(" = ", StringComparison.Ordinal) ? rest[3..].Split(" (")[0] : null;
            Assert.That(key["default"]?.ToString(), Is.EqualTo(shown), name);
        }
    }

    [Test]
    public void A_key_that_nobody_knows_fits_nowhere()
    {
        foreach (var section in Keys.Select(key => key.Section).Distinct())
        {
            var path = section.Length == 0 ? "unheard_of" : section + ".unheard_of";

            Assert.That(SchemaCheck.Fits(Placed(path, null)), Is.False, path);
            Assert.That(SchemaCheck.Fits(Placed(path, null, without: "unheard_of")), Is.True, path);
        }
    }

    [Test]
    public void Every_default_fits()
    {
        foreach (var key in Keys.Where(key => key.Default is not null))
        {
            var value = Find(SchemaCheck.Tree, key.Path)["default"]!.DeepClone();

            Assert.That(SchemaCheck.Fits(Placed(key.Path, value)), key.Path);
        }
    }

    [Test]
    public void What_must_be_written_is_missed()
    {
        foreach (var key in Keys.Where(key => key.IsRequired))
        {
            Assert.That(SchemaCheck.Fits(Placed(key.Path, null)), Is.False, $"{key.Path}: ~");
            Assert.That(SchemaCheck.Fits(Placed(key.Path, null, without: key.Name)), Is.False, key.Path);
        }
    }

    [Test]
    public void Whatever_else_may_be_left_empty()
    {
        foreach (var key in Keys.Where(key => !key.IsRequired))
            Assert.That(SchemaCheck.Fits(Placed(key.Path, null)), $"{key.Path}: ~");
    }

    [Test]
    public void What_can_be_off_fits_when_it_is_off_and_nothing_else_does()
    {
        var accepted = Keys.Where(key => SchemaCheck.Fits(Placed(key.Path, "off"))).Select(key => key.Path);

        // In a mapping, and where a file or a text is named, it is a name like others.
        string[] names =
        [
            "admin.token_file", "routes[].match.host", "routes[].cluster", "clusters.<name>.host",
            "clusters.<name>.sticky.cookie", "clusters.<name>.sticky.key_file", "clusters.<name>.backends[].name",
            "tracing.service_name",
        ];
        string[] probes = ["host", "expect_field", "expect_body", "service"];
        var ofProbes = probes.SelectMany(name => (string[])
            [$"clusters.<name>.health.{name}", $"clusters.<name>.backends[].health.{name}"]);
        Assert.That(accepted.Except(names).Except(ofProbes), Is.EquivalentTo((string[])
        [
            "admin", "clusters.<name>.hash.load", "clusters.<name>.queue", "clusters.<name>.timeouts.request",
            "clusters.<name>.health", "clusters.<name>.ejection", "clusters.<name>.retries",
            "clusters.<name>.slow_start", "clusters.<name>.sticky", "clusters.<name>.backends[].health",
            "logging.access", "tracing",
        ]));
    }

    [TestCaseSource(nameof(Values))]
    public void Whatever_the_reader_of_a_key_accepts_fits(string path)
    {
        var accepted = Fragments.Where(text => IsAccepted(Placed(path, text))).ToList();
        Assert.That(accepted, Is.Not.Empty);
        Assert.That(accepted, Has.All.Matches<string>(text => SchemaCheck.Fits(Placed(path, text))));

        var values = Gen.Frequency(
            (4, from parts in Gen.Elements(Fragments).ArrayOf(2) select (JsonNode?)string.Concat(parts)),
            (4, from parts in Gen.Elements(Fragments).ArrayOf(3) select (JsonNode?)string.Concat(parts)),
            (2, Gen.Elements(0, 1, 5, 200, 503, 65_536, 1_000_000).Select(number => (JsonNode?)number)),
            (1, Gen.Elements(true, false).Select(truth => (JsonNode?)truth)));

        Check.One(Config.QuickThrowOnFailure.WithMaxTest(200), Prop.ForAll(values.ToArbitrary(),
            value => !IsAccepted(Placed(path, value)) || SchemaCheck.Fits(Placed(path, value))));
    }

    [TestCase("listeners[].bind", ":80000")]
    [TestCase("listeners[].bind", ":0")]
    [TestCase("listeners[].bind", "8000")]
    [TestCase("listeners[].expose", "[ admin ]")]
    [TestCase("listeners[].trusted_proxies", "[ lan ]")]
    [TestCase("allow_exec", "yes")]
    [TestCase("routes[].match.path", "v1")]
    [TestCase("routes[].match.path", "/v1/*")]
    [TestCase("routes[].max_body", "32K")]
    [TestCase("clusters.<name>.algorithm", "roundrobbin")]
    [TestCase("clusters.<name>.host", "a:0")]
    [TestCase("clusters.<name>.hash.key", "header")]
    [TestCase("clusters.<name>.hash.load", "100%")]
    [TestCase("clusters.<name>.pool.size", "65537")]
    [TestCase("clusters.<name>.pool.size", "\"-1\"")]
    [TestCase("clusters.<name>.timeouts.connect", "3")]
    [TestCase("clusters.<name>.timeouts.connect", "0s")]
    [TestCase("clusters.<name>.timeouts.connect", "1s500")]
    [TestCase("clusters.<name>.timeouts.connect", "3 s")]
    [TestCase("clusters.<name>.timeouts.request", "never")]
    [TestCase("clusters.<name>.health.kind", "htp")]
    [TestCase("clusters.<name>.health.jitter", "101%")]
    [TestCase("clusters.<name>.health.expect", "2xx")]
    [TestCase("clusters.<name>.health", "no")]
    [TestCase("clusters.<name>.retries.statuses", "404")]
    [TestCase("clusters.<name>.ejection.statuses", "429")]
    [TestCase("clusters.<name>.backends", "[ \"https://a\" ]")]
    [TestCase("clusters.<name>.backends", "[ a ]")]
    [TestCase("clusters.<name>.backends[].name", "42")]
    [TestCase("limits.head", "-1")]
    [TestCase("limits", "5")]
    [TestCase("logging.access_path", "access.log")]
    [TestCase("transport", "socket")]
    [TestCase("workers", "257")]
    [TestCase("listeners", "[]")]
    [TestCase("clusters", "{}")]
    [TestCase("clusters", "{ \"a b\": { backends: [] } }")]
    public void What_is_plainly_wrong_does_not_fit(string path, string value)
        => Assert.That(SchemaCheck.Fits(Placed(path, SchemaCheck.AsJson(value))), Is.False);

    [Test]
    public void A_variable_may_stand_for_any_single_value()
    {
        foreach (var path in Values)
            Assert.That(SchemaCheck.Fits(Placed(path, "${NAME:-x}")), path);
    }

    [Test]
    public void A_name_in_the_schema_means_one_pattern()
        => Assert.That(Keys.SelectMany(key => new[] { key.Form?.Text, key.Names }).OfType<TextForm>().Distinct()
            .Select(text => text.Name), Is.Unique);

    private static bool IsAccepted(JsonNode configuration)
        => ProxyOptions.Parse(configuration.ToJsonString(), Parsing.File).Options is not null;

    private static JsonNode Find(JsonNode schema, string path)
    {
        foreach (var name in path.Replace("[]", ".[]", StringComparison.Ordinal).Split('.'))
        {
            schema = schema["properties"] is null && schema["oneOf"] is JsonArray ways
                ? ways.Single(way => way!["properties"] is not null || way["items"] is not null)!
                : schema;
            schema = (name switch
            {
                "[]" => schema["items"],
                "<name>" => schema["additionalProperties"],
                _ => schema["properties"]![name],
            })!;
        }

        return schema;
    }

    // The smallest configuration with one more value in its place, or with a place made for it and nothing put there.
    private static JsonNode Placed(string path, JsonNode? value, string? without = null)
    {
        var root = JsonNode.Parse("""
            {"listeners":[{"bind":":8000"}],"routes":[{"cluster":"web"}],"allow_exec":true,
             "clusters":{"web":{"backends":[{"address":"a:80"}]}}}
            """)!;
        var names = path.Replace("[]", "", StringComparison.Ordinal).Replace("<name>", "web", StringComparison.Ordinal)
            .Split('.');
        var section = root.AsObject();
        foreach (var name in names[..^1])
        {
            section[name] ??= new JsonObject();
            section = (section[name] is JsonArray list ? list[0] : section[name])!.AsObject();
        }

        // What only one kind of probe knows.
        var kind = names[^1] switch { "service" => "grpc", "command" or "args" => "exec", _ => null };
        if (kind is not null)
            section["kind"] = kind;
        if (kind == "exec")
            section["command"] = "/x";

        // What is found by name has no address of its own.
        if (names[^1] is "dns" or "srv" && value is not null)
            section.Remove("address");
        if (without is null)
            section[names[^1]] = value?.DeepClone();
        else
            section.Remove(without);
        return root;
    }
}
