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
    private readonly string _text;
    private readonly Parser _parser;

    // Where each bracket stands that is open; what the parser says of a missing one points far behind it.
    private readonly Stack<(char Sign, int Line, int Column)> _brackets = [];
    private readonly Dictionary<string, ConfigNode> _anchors = new(StringComparer.Ordinal);
    private int _weight;

    private YamlReader(string text, string file, Func<string, string?>? environment, ConfigReport report)
    {
        _file = file;
        _environment = environment;
        _report = report;
        _text = text;
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
            report.Error(start, $"the text is longer than {TextLengthMax} characters",
                "is it the right file?");
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
            reader.ReportSyntax(exception.Start, exception.Message);
        }
        catch (Exception exception)
            when (exception is ArgumentException or InvalidOperationException or FormatException)
        {
            // The parser lets a few of these escape on malformed text, such as an impossible \U escape.
            reader.ReportSyntax(reader._parser.Current?.End ?? Mark.Empty, "");
        }

        return null;
    }

    private void ReportSyntax(Mark mark, string message)
    {
        var gaveUp = ((int)Math.Max(1, mark.Line), (int)Math.Max(1, mark.Column));
        var (at, flaw) = YamlSyntax.Explain(
            _text, gaveUp, message, _brackets.TryPeek(out var bracket) ? bracket : null);
        _report.Error(new(_file, at.Line, at.Column), flaw);
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
            throw Unreadable(at, $"more than {DepthMax} levels of nesting", "no key is as deep as that");

        var node = current switch
        {
            AnchorAlias alias => Alias(alias, at),
            Scalar scalar => Substitute(scalar, at),
            SequenceStart list => ReadList(at, list.Style == SequenceStyle.Flow, depth),
            MappingStart map => ReadMap(at, map.Style == MappingStyle.Flow, depth),
            _ => throw Unreadable(at, "expected a value here", "write one"),
        };

        _weight += current is AnchorAlias ? node.Weight : 1;
        if (_weight > WeightMax)
            throw Unreadable(at, $"more than {WeightMax} values, aliases included", "use fewer aliases");

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
            : throw Unreadable(at, $"a bare `*` begins an alias, and no anchor {Flaw.Show("&" + alias.Value.Value)} is "
                + "above it", "put quotes around the value, or define the anchor first");

    private ConfigList ReadList(Position at, bool isInBrackets, int depth)
    {
        if (isInBrackets)
            _brackets.Push(('[', at.Line, at.Column));

        var items = new List<ConfigNode>();
        while (_parser.MoveNext() && _parser.Current is not SequenceEnd)
            items.Add(ReadNode(depth + 1));

        if (isInBrackets)
            _brackets.Pop();
        return new(at, items);
    }

    private ConfigMap ReadMap(Position at, bool isInBrackets, int depth)
    {
        // `[ a: 1 ]` is a list with a mapping in it that has no brackets of its own; the parser does not say where.
        var isSinglePair = isInBrackets && depth > 1 && _parser.Current!.Start.Index == 0;
        if (isInBrackets && !isSinglePair)
            _brackets.Push(('{', at.Line, at.Column));

        var entries = new Dictionary<string, ConfigEntry>(StringComparer.Ordinal);
        var end = -1L;
        while (_parser.MoveNext() && _parser.Current is not MappingEnd)
        {
            var keyAt = At(_parser.Current!);
            if (isInBrackets && end >= 0)
                RequireComma(end, _parser.Current!.Start.Index, keyAt);
            if (isSinglePair && entries.Count == 0)
                at = keyAt;
            if (_parser.Current is not Scalar { Value: var key, Style: var style })
                throw Unreadable(keyAt, "a key must be a single word",
                    "values that begin with `{`, `[`, `&` or `*` need quotes");

            RefuseOddKey(key, style, keyAt);
            _parser.MoveNext();
            var value = ReadNode(depth + 1);
            end = _parser.Current!.End.Index;
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

        if (isInBrackets && !isSinglePair)
            _brackets.Pop();
        return new(at, [.. entries.Values]);
    }

    // The parser does without the comma where it can tell a key from a value; other tools do not.
    private void RequireComma(long from, long to, Position keyAt)
    {
        if (to > from && to <= _text.Length && !_text.AsSpan((int)from, (int)(to - from)).Contains(','))
            _report.Error(keyAt, "no comma stands before this key", "write one");
    }

    // What looks like a blank or a comment to people and is a part of a key to YAML breaks all that follows.
    private static void RefuseOddKey(string key, ScalarStyle style, Position keyAt)
    {
        if (style != ScalarStyle.Plain || key.Length == 0)
            return;
        if (key.StartsWith("//", StringComparison.Ordinal) || key.StartsWith("/*", StringComparison.Ordinal))
            throw Unreadable(keyAt, $"`{key[..2]}` begins no comment", "write `#`");
        if (char.IsWhiteSpace(key[0]) || key[0] is '\u200B' or '\uFEFF')
        {
            throw Unreadable(keyAt, $"the character U+{(int)key[0]:X4} before this key only looks like a blank",
                "indent with ordinary blanks");
        }
    }

    private ConfigNode Substitute(Scalar scalar, Position at)
    {
        var isPlain = scalar is { Style: ScalarStyle.Plain, Tag.IsEmpty: true };
        if (isPlain && scalar.Value is [var sign and ('“' or '”' or '„' or '«' or '‘' or '’'), ..])
        {
            _report.Error(at, $"`{sign}` is no quote to YAML", "write `\"`");
            return new ConfigUnreadable(at);
        }

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
