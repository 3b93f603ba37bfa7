using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace PolyBalance.Configuration;

/// <summary>Turns YAML into our own tree, in which every value knows its line and column. JSON is YAML too.</summary>
/// <remarks>
/// Works from the parser's events and not from its node tree, which stops at the first duplicate key. Everything that a
/// text can grow by is bounded: its length, its depth, and its number of values with aliases counted as often as they
/// are used.
/// </remarks>
internal sealed class YamlReader
{
    private const int TextLengthMax = 4 * 1024 * 1024;
    private const int DepthMax = 32;
    private const int WeightMax = 100_000;

    private readonly string _file;
    private readonly Func<string, string?>? _environment;
    private readonly ConfigReport _report;
    private readonly Parser _parser;
    private readonly Dictionary<string, ConfigNode> _anchors = new(StringComparer.Ordinal);
    private int _weight;

    private YamlReader(string text, string file, Func<string, string?>? environment, ConfigReport report)
    {
        _file = file;
        _environment = environment;
        _report = report;
        _parser = new(new StringReader(text));
    }

    /// <summary>Reads a text. Total: what is wrong goes into the report.</summary>
    /// <param name="text">YAML or JSON.</param>
    /// <param name="file">What errors call the text.</param>
    /// <param name="environment">Looks up <c>${NAME}</c> in values; null: values stand for themselves.</param>
    /// <param name="report">Takes the errors.</param>
    /// <returns>The tree; <see langword="null"/> when the text holds nothing, or nothing that could be read to its
    /// end.</returns>
    public static ConfigNode? Read(string text, string file, Func<string, string?>? environment, ConfigReport report)
    {
        // Windows editors put a byte order mark there; to the parser it would be part of the first key.
        var body = text.TrimStart('\uFEFF');
        var start = new Position(file, 1, 1);
        if (body.Length > TextLengthMax)
        {
            report.Error(start, $"the text is longer than {TextLengthMax} characters", "");
            return null;
        }

        var reader = new YamlReader(body, file, environment, report);
        try
        {
            return reader.ReadDocument();
        }
        catch (UnreadableException unreadable)
        {
            report.Error(unreadable.At, unreadable.Flaw);
        }
        catch (YamlException exception)
        {
            var (at, flaw) = YamlSyntax.Explain(body, exception.Start.Line, exception.Start.Column, exception.Message);
            report.Error(new(file, at.Line, at.Column), flaw);
        }
        catch (Exception exception)
            when (exception is ArgumentException or InvalidOperationException or FormatException)
        {
            // The parser lets a few of these escape on malformed text, such as an impossible \U escape.
            var last = reader._parser.Current?.End ?? Mark.Empty;
            var (at, flaw) = YamlSyntax.Explain(body, last.Line, last.Column, "");
            report.Error(new(file, at.Line, at.Column), flaw);
        }

        return null;
    }

    private ConfigNode? ReadDocument()
    {
        _parser.MoveNext();
        ConfigNode? root = null;
        while (_parser.MoveNext() && _parser.Current is DocumentStart document)
        {
            if (root is not null)
                throw Unreadable(At(document), "a second document begins here",
                    "keep one configuration per file: remove `---`");

            _parser.MoveNext();
            root = ReadNode(depth: 1);
            _parser.MoveNext();
        }

        return root;
    }

    // Leaves the parser on the node's last event.
    private ConfigNode ReadNode(int depth)
    {
        var current = _parser.Current!;
        var at = At(current);
        if (depth > DepthMax)
            throw Unreadable(at, $"more than {DepthMax} levels of nesting", "");

        var node = current switch
        {
            AnchorAlias alias => Alias(alias, at),
            Scalar scalar => Substitute(scalar, at),
            SequenceStart => ReadList(at, depth),
            _ => ReadMap(at, depth),
        };

        _weight += current is AnchorAlias ? node.Weight : 1;
        if (_weight > WeightMax)
            throw Unreadable(at, $"more than {WeightMax} values, aliases included", "");

        if (current is NodeEvent { Tag: { IsEmpty: false, IsNonSpecific: false } tag } && !IsHarmless(tag))
            _report.Error(at, $"the tag {Flaw.Show(tag.Value)} means nothing here", "remove it");

        if (current is NodeEvent { Anchor: { IsEmpty: false } anchor })
            _anchors[anchor.Value] = node;

        return node;
    }

    private static bool IsHarmless(TagName tag)
        => tag.Value is "tag:yaml.org,2002:str" or "tag:yaml.org,2002:map" or "tag:yaml.org,2002:seq";

    // An anchor counts from the end of its node on, so that no node can hold itself.
    private ConfigNode Alias(AnchorAlias alias, Position at)
        => _anchors.TryGetValue(alias.Value.Value, out var node)
            ? node
            : throw Unreadable(at, $"no anchor {Flaw.Show("&" + alias.Value.Value)} above this alias",
                "define it first, or quote the value");

    private ConfigList ReadList(Position at, int depth)
    {
        var items = new List<ConfigNode>();
        while (_parser.MoveNext() && _parser.Current is not SequenceEnd)
            items.Add(ReadNode(depth + 1));

        return new(at, items);
    }

    private ConfigMap ReadMap(Position at, int depth)
    {
        var entries = new Dictionary<string, ConfigEntry>(StringComparer.Ordinal);
        while (_parser.MoveNext() && _parser.Current is not MappingEnd)
        {
            var keyAt = At(_parser.Current!);
            if (_parser.Current is not Scalar { Value: var key, Style: var style })
                throw Unreadable(keyAt, "a key must be a single word",
                    "values that begin with `{`, `[`, `&` or `*` need quotes");

            _parser.MoveNext();
            var value = ReadNode(depth + 1);
            if (key == "<<")
            {
                _report.Error(keyAt, "merge keys (`<<`) are not supported",
                    "repeat the keys, or use an alias for the whole section");
            }
            else if (entries.TryGetValue(key, out var first))
            {
                _report.Error(keyAt, $"the key {Flaw.Show(key)} is already in this mapping, at line {first.KeyAt.Line}",
                    "remove one of the two");
            }
            else
            {
                entries.Add(key, new(key, keyAt, value, style == ScalarStyle.Plain));
            }
        }

        return new(at, [.. entries.Values]);
    }

    private ConfigNode Substitute(Scalar scalar, Position at)
    {
        var isPlain = scalar is { Style: ScalarStyle.Plain, Tag.IsEmpty: true };
        if (_environment is null || !scalar.Value.Contains("${", StringComparison.Ordinal))
            return new ConfigScalar(at, scalar.Value, isPlain);

        // Columns can be counted as long as no escape or line break makes the text differ from what is written.
        var quotes = scalar.Style is ScalarStyle.Plain ? 0 : 1;
        var isCountable = scalar.End.Column - scalar.Start.Column == scalar.Value.Length + 2 * quotes;
        var text = Substitution.Apply(scalar.Value, _environment, (index, flaw) => _report.Error(
            isCountable ? at with { Column = at.Column + quotes + index } : at, flaw));
        return text is null ? new ConfigUnreadable(at) : new ConfigScalar(at, text, isPlain: false);
    }

    private Position At(ParsingEvent current) => new(_file, (int)current.Start.Line, (int)current.Start.Column);

    private static UnreadableException Unreadable(Position at, string problem, string remedy)
        => new(at, new(problem, remedy));

    /// <summary>Leaves the recursion when the rest of the text can not be read; never leaves this class.</summary>
    private sealed class UnreadableException(Position at, Flaw flaw) : Exception(flaw.Problem)
    {
        public Position At { get; } = at;

        public Flaw Flaw { get; } = flaw;
    }
}
