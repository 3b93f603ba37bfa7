using System.Buffers.Binary;
using System.Net;
using PolyBalance.Discovery;

namespace PolyBalance.Tests.Discovery;

/// <summary>Puts answers of name servers together, well-formed ones and others.</summary>
internal sealed class ReplyBytes
{
    private const int Answer = 0;
    private const int Authority = 1;
    private const int Additional = 2;

    private readonly List<byte>[] _sections = [[], [], []];
    private readonly int[] _counts = new int[3];
    private readonly ushort _id;
    private readonly byte[] _question;

    /// <summary>Begins an answer to a question.</summary>
    public ReplyBytes(ushort id, string name, RecordKind kind)
        : this(id, [.. NameBytes(name), .. Word((ushort)kind), .. Word(DnsQuery.Internet)])
    {
    }

    /// <summary>Begins an answer that repeats a question as it is.</summary>
    public ReplyBytes(ushort id, byte[] question) => (_id, _question) = (id, question);

    /// <summary>The code of the answer; 0: no error.</summary>
    public int Code { get; init; }

    /// <summary>Bits of the head's second word besides the code.</summary>
    public int Flags { get; init; } = 0x8180;

    /// <summary>How many questions the head claims.</summary>
    public int Questions { get; init; } = 1;

    /// <summary>What is added to the number of answers that the head claims.</summary>
    public int ExtraAnswers { get; init; }

    /// <summary>A name as messages have it, without compression.</summary>
    public static byte[] NameBytes(string name) => SomeName.Of(name).Bytes.ToArray();

    public ReplyBytes WithAddress(string owner, string address, int seconds = 30)
    {
        var bytes = IPAddress.Parse(address).GetAddressBytes();
        return With(Answer, NameBytes(owner), bytes.Length == 4 ? RecordKind.Address4 : RecordKind.Address6, seconds,
            bytes);
    }

    public ReplyBytes WithAlias(string owner, string target, int seconds = 30)
        => With(Answer, NameBytes(owner), RecordKind.Alias, seconds, NameBytes(target));

    public ReplyBytes WithPlace(
        string owner, string target, ushort port, ushort weight = 0, ushort priority = 0, int seconds = 30)
        => With(Answer, NameBytes(owner), RecordKind.Place, seconds,
            [.. Word(priority), .. Word(weight), .. Word(port), .. NameBytes(target)]);

    public ReplyBytes WithHost(string owner, string address, int seconds = 30)
    {
        var bytes = IPAddress.Parse(address).GetAddressBytes();
        return With(Additional, NameBytes(owner), bytes.Length == 4 ? RecordKind.Address4 : RecordKind.Address6,
            seconds, bytes);
    }

    /// <summary>The record of a zone, which says how long there is nothing.</summary>
    public ReplyBytes WithSilence(int seconds, int least)
        => With(Authority, NameBytes("example"), RecordKind.Zone, seconds,
            [.. NameBytes("a.example"), .. NameBytes("b.example"), .. new byte[16], .. Number(least)]);

    public ReplyBytes WithDelegation(string owner, string server)
        => With(Authority, NameBytes(owner), RecordKind.Delegation, 30, NameBytes(server));

    /// <summary>What a server understands beyond RFC 1035, with the upper bits of its code.</summary>
    public ReplyBytes WithExtension(int upperCode = 0)
        => With(Additional, [0], RecordKind.Extension, upperCode << 24, [], kindOfNet: 1_232);

    /// <summary>Any record of the answer; the name as bytes, so that it may be a pointer.</summary>
    public ReplyBytes WithRaw(byte[] owner, RecordKind kind, int seconds, byte[] content, int? length = null)
        => With(Answer, owner, kind, seconds, content, length: length);

    /// <summary>The whole message.</summary>
    public byte[] ToArray() =>
    [
        .. Word(_id), .. Word((ushort)(Flags | Code)), .. Word((ushort)Questions),
        .. Word((ushort)(_counts[Answer] + ExtraAnswers)), .. Word((ushort)_counts[Authority]),
        .. Word((ushort)_counts[Additional]), .. _question, .. _sections.SelectMany(section => section),
    ];

    private ReplyBytes With(
        int section, byte[] owner, RecordKind kind, int seconds, byte[] content, ushort kindOfNet = DnsQuery.Internet,
        int? length = null)
    {
        _counts[section]++;
        _sections[section].AddRange(
        [
            .. owner, .. Word((ushort)kind), .. Word(kindOfNet), .. Number(seconds),
            .. Word((ushort)(length ?? content.Length)), .. content,
        ]);
        return this;
    }

    private static byte[] Word(ushort value) => [(byte)(value >> 8), (byte)value];

    private static byte[] Number(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }
}
