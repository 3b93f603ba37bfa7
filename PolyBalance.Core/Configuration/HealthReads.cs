namespace PolyBalance.Configuration;

/// <summary>What the keys of <c>health</c> may say, and which kind of probe each belongs to.</summary>
internal static class HealthReads
{
    private const int TextLengthMax = 1_024;

    private static readonly string[] Kinds = ["http", "tcp", "grpc", "exec"];

    // Keys that not every kind knows.
    private static readonly (string Key, ProbeKind[] Kinds)[] KeysOfKinds =
    [
        ("path", [ProbeKind.Http]), ("expect", [ProbeKind.Http]),
        ("drain_on", [ProbeKind.Http]), ("fields", [ProbeKind.Http]),
        ("expect_field", [ProbeKind.Http]), ("expect_body", [ProbeKind.Http]),
        ("host", [ProbeKind.Http, ProbeKind.Grpc]), ("service", [ProbeKind.Grpc]),
        ("command", [ProbeKind.Exec]), ("args", [ProbeKind.Exec]),
    ];

    // Fields that a probe writes itself, or that would change how its message is read.
    private static readonly string[] FieldsOfOurs =
    [
        "Host", "Connection", "Content-Length", "Transfer-Encoding", "TE", "Trailer", "Upgrade", "Expect",
        "Keep-Alive", "Proxy-Connection",
    ];

    private const string Token = "[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}";

    /// <summary>What <see cref="Kind"/> reads.</summary>
    public static readonly ConfigForm KindForm = ConfigForm.OneOf(Kinds);

    /// <summary>The request target of a probe: a path, and a query if need be.</summary>
    public static readonly ConfigForm TargetForm = new("request path")
    {
        Text = new("request_path", "Write a path that begins with `/`, such as `/healthz`.",
            "/[A-Za-z0-9/._~%!$&'()*+,;=:@?-]*"),
    };

    /// <summary>What <see cref="Host"/> reads.</summary>
    public static readonly ConfigForm HostForm = new("host[:port]") { Text = HostPolicy.Literals };

    /// <summary>What <see cref="ExpectField"/> reads.</summary>
    public static readonly ConfigForm ExpectFieldForm = new("name, or \"name: value\"")
    {
        Text = new("expected_field", "Write the name of a field, or its name and its value: `X-Ready: yes`.",
            Token + @"(?::[\s\S]*)?"),
    };

    /// <summary>What <see cref="ExpectBody"/> reads.</summary>
    public static readonly ConfigForm ExpectBodyForm = new("text")
    {
        Text = new("expected_text", $"Write at most {TextLengthMax} characters.", $@"[\s\S]{{1,{TextLengthMax}}}"),
    };

    /// <summary>What <see cref="Service"/> reads.</summary>
    public static readonly ConfigForm ServiceForm = new("name")
    {
        Text = new("grpc_service", "Write a name such as `shop.v1.Orders`.", "[A-Za-z0-9._/-]{0,255}"),
    };

    private static readonly TextForm FieldName =
        new("field_name", "Write the name of a field, such as `X-Probe`.", Token);

    private static readonly ConfigForm FieldValue = new("name: value")
    {
        Text = new("field_value", "Write printable ASCII characters.", $@"[\t -~]{{0,{TextLengthMax}}}"),
    };

    /// <summary>Reads what a probe does.</summary>
    public static Parsed<ProbeKind> Kind(string text)
        => Array.IndexOf(Kinds, text) is >= 0 and var index
            ? (ProbeKind)index
            : new Flaw($"{Flaw.Show(text)} is no kind of probe", NearestName.Suggest(text, Kinds, "write one of"));

    /// <summary>Reads a literal host, with or without a port. RFC 9110 §7.2.</summary>
    public static Parsed<string> Host(string text)
        => HostPolicy.Parse(text) is { Flaw: null, Value: { Kind: HostPolicyKind.Literal, Value: var host } }
            ? host
            : new Flaw($"{Flaw.Show(text)} is no host", "write `host` or `host:port`");

    /// <summary>Reads the fields that a probe sends.</summary>
    public static EquatableArray<ProbeField> Fields(ConfigSection section, EquatableArray<ProbeField> inherited)
    {
        var written = section.Pairs("fields", FieldName, FieldValue,
            "http: fields that a probe sends besides its own.", SentField);
        return section.IsWritten("fields") ? written : inherited;
    }

    /// <summary>Reads a field that must be there: its name, or its name and its value.</summary>
    public static Parsed<ProbeField?> ExpectField(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var field = Field(colon < 0 ? text : text[..colon], colon < 0 ? "" : text[(colon + 1)..].Trim());
        return new(field.Value, field.Flaw);
    }

    /// <summary>Reads a text that content must hold.</summary>
    public static Parsed<string> ExpectBody(string text)
        => text.Length is > 0 and <= TextLengthMax
            ? text
            : new Flaw("the text must not be empty or long", $"write at most {TextLengthMax} characters");

    /// <summary>Reads the name of a gRPC service.</summary>
    public static Parsed<string> Service(string text)
        => text.Length <= 255 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '/')
            ? text
            : new Flaw($"{Flaw.Show(text)} is no name of a gRPC service", "write one such as `shop.v1.Orders`");

    /// <summary>Reads the path of a program.</summary>
    public static Parsed<string> Command(string text)
        => text.StartsWith('/') && text.Length > 1 && !text.Any(char.IsControl)
            ? text
            : new Flaw($"{Flaw.Show(text)} is no absolute path",
                "write one such as `/usr/local/bin/check`; arguments go into `args`");

    /// <summary>Reads the arguments of a program.</summary>
    public static EquatableArray<string> Args(ConfigSection section, EquatableArray<string> inherited)
    {
        var written = section.List<string>("args", ConfigForm.Anything, "exec: its arguments; no shell reads them.",
            text => text.Length <= TextLengthMax && !text.Contains('\0', StringComparison.Ordinal)
                ? text
                : new Flaw("the argument is too long", $"write at most {TextLengthMax} characters"));
        return section.IsWritten("args") ? written : inherited;
    }

    /// <summary>Reports keys that do not belong to the kind of probe, and what a kind needs and has not.</summary>
    public static void CheckKind(ConfigSection section, HealthOptions options)
    {
        if (section.IsUnreadable("kind"))
            return;

        foreach (var (key, kinds) in KeysOfKinds)
        {
            if (!section.IsWritten(key) || section.IsEmptyList(key) || kinds.Contains(options.Kind))
                continue;

            section.Report.Error(section.KeyPositionOf(key),
                $"`{key}` means nothing to a probe of kind `{Kinds[(int)options.Kind]}`",
                $"remove it, or write `kind: {Kinds[(int)kinds[0]]}`");
        }

        if (options.Kind != ProbeKind.Exec)
            return;

        if (section.IsWritten("kind") && !section.Report.AllowsExec)
        {
            section.Report.Error(section.PositionOf("kind"), "probes of kind `exec` run programs, which is not allowed",
                "write `allow_exec: true` at the top level");
        }

        if (options.Command is null && !section.IsWritten("command"))
            section.Report.Error(section.At, "a probe of kind `exec` needs `command`",
                "write `command: /path/of/the/program`");
    }

    /// <summary>Reports a status code that would both pass and mean that the backend wants no new work.</summary>
    public static void CheckDrain(ConfigSection section, HealthOptions options)
    {
        if (section.IsUnreadable("expect") || section.IsUnreadable("drain_on"))
            return;

        foreach (var drain in options.DrainOn)
        {
            foreach (var expected in options.Expect)
            {
                var (first, last) = (Math.Max(drain.First, expected.First), Math.Min(drain.Last, expected.Last));
                if (first > last)
                    continue;

                var at = section.IsReadable("drain_on") ? "drain_on" : "expect";
                section.Report.Error(section.PositionOf(at), $"the status {first} is in `expect` and in `drain_on`",
                    "write it in one of the two");
                return;
            }
        }
    }

    private static Parsed<ProbeField> SentField(string name, string value)
        => FieldsOfOurs.Contains(name, StringComparer.OrdinalIgnoreCase)
            ? new Flaw($"{Flaw.Show(name)} is not for `fields` to say",
                name.Equals("Host", StringComparison.OrdinalIgnoreCase) ? "write `host`" : "remove it")
            : Field(name, value);

    // RFC 9110 §5.1 and §5.5; what is not ASCII has no meaning that both sides agree on.
    private static Parsed<ProbeField> Field(string name, string value)
    {
        if (name.Length is 0 or > 128 || name.Any(c => !IsTokenCharacter(c)))
            return new Flaw($"{Flaw.Show(name)} is no field name", "write one such as `X-Probe`");

        return value.Length <= TextLengthMax && value.All(c => c is '\t' or (>= ' ' and <= '~'))
            ? new ProbeField(name, value.Trim(' ', '\t'))
            : new Flaw($"{Flaw.Show(value)} is no field value", "write at most 1024 printable ASCII characters");
    }

    private static bool IsTokenCharacter(char c)
        => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal);
}
