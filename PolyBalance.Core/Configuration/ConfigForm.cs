namespace PolyBalance.Configuration;

/// <summary>What an unquoted value may be to YAML, besides a text.</summary>
internal enum BareValue
{
    /// <summary>Nothing else: the value is always a text.</summary>
    Text,

    /// <summary>A whole number within the bounds of the form.</summary>
    Number,

    /// <summary><c>true</c> or <c>false</c>.</summary>
    Truth,

    /// <summary>Any single value, which is then taken as it is written.</summary>
    Anything,
}

/// <summary>A kind of text that values are made of, so that editors know it before anybody parses it.</summary>
/// <param name="Name">What the schema calls it; one name, one pattern.</param>
/// <param name="Advice">What to write, in one sentence, for somebody whose text does not match.</param>
/// <param name="Pattern">
/// A regular expression that matches the whole of every text that its reader understands, in what ECMA-262 and .NET
/// have in common. It may match more than that: what no pattern can say, the reader checks.
/// </param>
internal sealed record TextForm(string Name, string Advice, string Pattern);

/// <summary>What may be written for a key: in words for the reference, and precisely for the schema.</summary>
/// <param name="Words">For the reference, such as <c>count, 1 to 1000</c>.</param>
internal sealed record ConfigForm(string Words)
{
    /// <summary>Whatever single value, taken as it is written.</summary>
    public static readonly ConfigForm Anything = new("text") { Bare = BareValue.Anything };

    /// <summary><c>true</c> or <c>false</c>, in quotes too.</summary>
    public static readonly ConfigForm Truth = new("true|false")
    {
        Bare = BareValue.Truth,
        Text = new("truth", "Write `true` or `false`.", "true|false"),
    };

    /// <summary>Words that are allowed beside everything else.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>Texts that are allowed; <see langword="null"/>: only what else the form has.</summary>
    public TextForm? Text { get; init; }

    /// <summary>What the value may be without quotes.</summary>
    public BareValue Bare { get; init; }

    /// <summary>Bounds of a bare number.</summary>
    public (long Min, long Max) Numbers { get; init; }

    /// <summary>A sentence with bounds that only the reader can check; empty when there are none.</summary>
    public string Bounds { get; init; } = "";

    /// <summary>One of a few words.</summary>
    /// <param name="choices">All of them.</param>
    public static ConfigForm OneOf(params IReadOnlyList<string> choices)
        => new(string.Join('|', choices)) { Choices = choices };

    /// <summary>The same, or a word that turns it off or leaves it to the gateway.</summary>
    /// <param name="word">Such as <c>off</c>.</param>
    /// <param name="words">The whole in words.</param>
    public ConfigForm Or(string word, string words) => this with { Words = words, Choices = [.. Choices, word] };
}
