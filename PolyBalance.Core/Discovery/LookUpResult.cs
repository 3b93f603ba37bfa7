using System.Net;

namespace PolyBalance.Discovery;

/// <summary>How looking something up has ended.</summary>
internal enum LookUpOutcome : byte
{
    /// <summary>There is what was looked for.</summary>
    Found,

    /// <summary>There is no such name.</summary>
    NoSuchName,

    /// <summary>The name stands for nothing of the kind.</summary>
    NoRecords,

    /// <summary>No server has answered in time.</summary>
    TimedOut,

    /// <summary>No server could be reached.</summary>
    Unreachable,

    /// <summary>The servers do not answer us.</summary>
    Refused,

    /// <summary>The servers cannot find it out.</summary>
    ServerFailed,

    /// <summary>What the servers say cannot be understood.</summary>
    Malformed,
}

/// <summary>The words for outcomes.</summary>
internal static class LookUpOutcomes
{
    /// <summary>Values of the label <c>result</c>, by outcome.</summary>
    public static readonly string[] Labels =
    [
        "found", "no_such_name", "no_records", "timed_out", "unreachable", "refused", "server_failed", "malformed",
    ];

    private static readonly string[] Sentences =
    [
        "found", "there is no such name", "the name stands for no addresses", "no name server has answered in time",
        "no name server could be reached", "the name server refuses to answer", "the name server cannot find it out",
        "the answer is malformed",
    ];

    /// <summary>Whether nobody knows what is there, as opposed to knowing that nothing is.</summary>
    public static bool IsFailure(this LookUpOutcome outcome) => outcome > LookUpOutcome.NoRecords;

    /// <summary>For the log: a part of a sentence.</summary>
    public static string InWords(this LookUpOutcome outcome) => Sentences[(int)outcome];
}

/// <summary>What is known of one host's addresses of one family.</summary>
/// <param name="Outcome">Whether they were found.</param>
/// <param name="Addresses">Which they are; empty unless they were.</param>
/// <param name="TimeToLive">How long that holds; zero where nothing says so.</param>
internal sealed record FamilyResult(
    LookUpOutcome Outcome, IReadOnlyList<IPAddress> Addresses, TimeSpan TimeToLive);

/// <summary>One host that a name stands for.</summary>
/// <param name="Host">Whose addresses; the name itself, or the target of one of its places.</param>
/// <param name="Port">Where it listens; 0: the name does not say.</param>
/// <param name="Weight">Its share among the hosts of the name, 0 to 65535.</param>
/// <param name="Four">Its IPv4 addresses.</param>
/// <param name="Six">Its IPv6 addresses.</param>
/// <param name="Rank">Those of the lower number are used first; 0 where the name does not say.</param>
internal sealed record HostResult(
    DnsName Host, int Port, int Weight, FamilyResult Four, FamilyResult Six, int Rank = 0);

/// <summary>What has come of one look-up. A value.</summary>
/// <param name="Outcome">Whether the hosts of the name are known.</param>
/// <param name="Hosts">Those; empty unless they are.</param>
/// <param name="TimeToLive">How long it holds which hosts they are.</param>
internal sealed record LookUpResult(LookUpOutcome Outcome, IReadOnlyList<HostResult> Hosts, TimeSpan TimeToLive);
