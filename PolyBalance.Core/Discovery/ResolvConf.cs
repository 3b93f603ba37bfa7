using System.Net;

namespace PolyBalance.Discovery;

/// <summary>What the system says about looking names up: the text of <c>resolv.conf</c>. A value.</summary>
/// <remarks>
/// Read as resolv.conf(5) describes it: of <c>domain</c> and <c>search</c> the last line counts, and lines that nobody
/// understands say nothing. Of the options only <c>ndots</c> matters here: how long an answer is waited for, the
/// configuration says.
/// </remarks>
/// <param name="Servers">Whom to ask, the first one first; never empty.</param>
/// <param name="Search">What is put behind names that may be short for others.</param>
/// <param name="Dots">A name with as many dots is asked for as it is before anything is put behind it.</param>
internal sealed record ResolvConf(IReadOnlyList<IPEndPoint> Servers, IReadOnlyList<DnsName> Search, int Dots)
{
    /// <summary>Where servers listen. RFC 1035 §4.2.</summary>
    public const int Port = 53;

    private const int DotsDefault = 1;
    private const int DotsMax = 15;
    private const string DotsOption = "ndots:";

    private static readonly char[] Blanks = [' ', '\t', '\r'];

    /// <summary>What holds where nothing is written.</summary>
    public static ResolvConf Default { get; } = new([new(IPAddress.Loopback, Port)], [], DotsDefault);

    /// <summary>Reads the text. Whatever it is, there is something to go by.</summary>
    public static ResolvConf Parse(string text)
    {
        var servers = new List<IPEndPoint>();
        var search = new List<DnsName>();
        var dots = DotsDefault;
        foreach (var line in text.Split('\n'))
        {
            var words = line.Split(Blanks, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length < 2 || words[0][0] is '#' or ';')
                continue;

            switch (words[0])
            {
                case "nameserver" when servers.Count < Limits.NameServersMax
                    && IPAddress.TryParse(words[1], out var address):
                    servers.Add(new(address, Port));
                    break;

                case "domain" or "search":
                    search = ReadNames(words[0] == "domain" ? words[1..2] : words[1..]);
                    break;

                case "options":
                    dots = ReadDots(words[1..]) ?? dots;
                    break;
            }
        }

        return new(servers.Count > 0 ? servers : Default.Servers, search, dots);
    }

    /// <summary>The names that a name may be short for, in the order in which they are asked for.</summary>
    /// <param name="name">What was written.</param>
    /// <param name="isAbsolute">It was written with a dot at its end: it is short for nothing.</param>
    public IReadOnlyList<DnsName> CandidatesFor(DnsName name, bool isAbsolute)
    {
        if (isAbsolute || Search.Count == 0)
            return [name];

        var longer = Search.Select(name.Below).OfType<DnsName>();
        return [.. (name.Dots >= Dots ? longer.Prepend(name) : longer.Append(name)).Distinct()];
    }

    private static List<DnsName> ReadNames(IEnumerable<string> words)
    {
        var names = new List<DnsName>();
        foreach (var word in words.Take(Limits.SearchNamesMax))
        {
            if (DnsName.TryParse(word, out var name))
                names.Add(name);
        }

        return names;
    }

    private static int? ReadDots(IEnumerable<string> options)
    {
        var dots = default(int?);
        foreach (var option in options)
        {
            if (option.StartsWith(DotsOption, StringComparison.Ordinal)
                && uint.TryParse(option[DotsOption.Length..], out var count))
                dots = (int)Math.Min(count, DotsMax);
        }

        return dots;
    }
}
