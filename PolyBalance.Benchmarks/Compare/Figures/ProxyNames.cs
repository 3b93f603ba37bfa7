using System.Text.RegularExpressions;

namespace PolyBalance.Benchmarks.Compare.Figures;

/// <summary>How the names of proxies are written in tables and on a command line.</summary>
internal static partial class ProxyNames
{
    /// <summary>How the names of all our proxies begin.</summary>
    public const string Own = "PolyBalance";

    /// <summary>The other .NET gateway.</summary>
    public const string Yarp = "YARP";

    /// <summary>How the name of a proxy ends that writes its access log.</summary>
    public const string LogOnSuffix = ", log on";

    /// <summary>Every ratio is to the better of these.</summary>
    public static readonly IReadOnlyList<string> Peers = ["nginx", "HAProxy"];

    /// <summary>A name as a command line has it: small letters, no commas, single blanks.</summary>
    public static string KeyOf(string name)
        => string.Join(' ', name.ToLowerInvariant().Split([' ', ','], StringSplitOptions.RemoveEmptyEntries));

    /// <summary>
    /// The keys in a list with commas. <c>nginx, log on</c> is one name, although there is a comma in it.
    /// </summary>
    public static IReadOnlyList<string> KeysOf(string list)
        => [.. LogOn.Replace(list, " log on").Split(',').Select(KeyOf).Where(key => key.Length > 0)];

    [GeneratedRegex(@",\s*log on\b", RegexOptions.IgnoreCase)]
    private static partial Regex LogOn { get; }
}
