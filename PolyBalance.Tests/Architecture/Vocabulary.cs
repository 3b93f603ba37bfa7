using System.Text.RegularExpressions;

namespace PolyBalance.Tests.Architecture;

/// <summary>A word that PolyBalance does not use, and the one it uses.</summary>
internal sealed record BannedWord(string Word, string Instead);

/// <summary>
/// One concept, one word, in code, comments and documents. Each banned word stands beside its replacement.
/// </summary>
internal static class Vocabulary
{
    /// <summary>Parts of declared names: of types, members and parameters.</summary>
    public static readonly BannedWord[] InNames =
    [
        new("Upstream", "Backend"), new("Downstream", "Client"),
        new("Frontend", "Listener"), new("Vhost", "Route"), new("Endpoint", "Address, Backend or Listener"),
        new("Payload", "Content, or Body with its framing"), new("Entity", "Content"), new("Octet", "Byte"),
        new("Octets", "Bytes"), new("Footer", "TrailerField"), new("Footers", "TrailerSection"),
        new("Header", "Field, FieldLine or Head"), new("Headers", "Fields, HeaderSection or Head"),
        new("Preamble", "Head"), new("Prologue", "Head"), new("Url", "Target"), new("Uri", "Target"),
        new("Informational", "Interim"), new("Provisional", "Interim"), new("Synthetic", "Local"),
        new("Hijack", "Tunnel"), new("Passthrough", "Tunnel"), new("Transaction", "Exchange"),
        new("Balancer", "Selector"), new("Chooser", "Selector"), new("Strategy", "Algorithm"),
        new("Outlier", "Ejection"), new("Ping", "Probe"), new("Alive", "Healthy or Eligible"),
        new("Reaper", "Heartbeat"), new("Settings", "Options"), new("Middleman", "Intermediary"),
        new("Num", "Count"), new("Cnt", "Count"), new("Idx", "Index"), new("Len", "Length"),
        new("Enabled", "a positive assertion such as Is… or Can…"), new("Disable", "a positive assertion"),
        new("Disabled", "a positive assertion such as Is… or Can…"),
    ];

    /// <summary>Ends of type names that say nothing.</summary>
    public static readonly string[] EmptySuffixes =
    [
        "Manager", "Helper", "Helpers", "Util", "Utils", "Utilities", "Service", "Provider", "Processor", "Wrapper",
        "Info", "Data", "Impl", "Base", "Context",
    ];

    /// <summary>Folders that collect what found no place.</summary>
    public static readonly string[] Drawers =
    [
        "Common", "Utilities", "Utils", "Helpers", "Abstractions", "Extensions", "Infrastructure", "Services",
        "Managers", "Misc", "Shared", "Models", "Interfaces",
    ];

    /// <summary>Acronyms are words: only the first letter is upper case.</summary>
    public static readonly Regex ShoutedAcronym = new("HTTP|TLS|TCP|DNS|UDP|URI|URL|JSON|YAML|XML|ASCII|CRLF|EWMA");

    /// <summary>Anywhere in code: no library that we use has names with these in them.</summary>
    public static readonly (Regex Pattern, string Instead)[] InCode =
    [
        (Ignoring(@"\w*(upstream|downstream)\w*"), "client or backend"),
        (Ignoring(@"\w*payload\w*"), "content, or body with its framing"),
    ];

    /// <summary>In comments and documents.</summary>
    public static readonly (Regex Pattern, string Instead)[] InProse =
    [
        (Ignoring(@"\b(up|down)streams?\b"), "client or backend"),
        (Ignoring(@"\bpayloads?\b"), "content, or body with its framing"),
        (Ignoring(@"\boctets?\b"), "byte"),
        (Ignoring(@"\bheaders\b"), "header section, or fields"),
        (Ignoring(@"\bheader (line|key|pair|name|value)s?\b"), "field line, field name, field value"),
        (Ignoring(@"\bfooters?\b"), "trailer section"),
        (Ignoring(@"\bchunk (header|footer)s?\b"), "chunk-size line, last chunk"),
        (Ignoring(@"\b(frontend|vhost)s?\b"), "listener, route"),
        (Ignoring(@"\borigin servers?\b"), "backend"),
        (Ignoring(@"\boutlier"), "ejection"),
        (Ignoring(@"\b(informational|provisional) response"), "interim response"),
        (Ignoring(@"\bRFC ?(2616|723[0-5])\b"), "RFC 9110 or RFC 9112"),
    ];

    /// <summary>Promises that nobody keeps.</summary>
    public static readonly Regex Leftovers = new(@"\b(TODO|FIXME|HACK|XXX)\b");

    private static readonly Regex Parts = new(@"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+");

    /// <summary>The words a name is made of: <c>HeadBytesMax</c> is Head, Bytes, Max.</summary>
    public static IEnumerable<string> WordsOf(string name) => Parts.Matches(name).Select(match => match.Value);

    private static Regex Ignoring(string pattern)
        => new(pattern, RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);
}
