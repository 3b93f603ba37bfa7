using System.Buffers.Binary;
using System.Net;

namespace PolyBalance.Discovery;

/// <summary>Reads answers. Any bytes are an answer of some kind: nothing here throws. RFC 1035 §4.1.</summary>
/// <remarks>
/// Each record takes eleven bytes of the message at least, whatever the counts in the head say, and each name costs at
/// most <see cref="DnsName.BytesMax"/> steps and <see cref="Limits.NamePointersMax"/> jumps. So the work is bounded by
/// the length of the message.
/// </remarks>
internal static class ReplyReader
{
    // The second word of the head. RFC 1035 §4.1.1.
    private const int IsReply = 0x8000;
    private const int OperationMask = 0x7800;
    private const int IsTruncated = 0x0200;
    private const int CodeMask = 0x000F;

    private const int NoError = 0;
    private const int FormatError = 1;
    private const int NameError = 3;
    private const int NotImplemented = 4;
    private const int Refused = 5;

    // What follows the name of a record: kind, class, time to live, length. RFC 1035 §4.1.3.
    private const int RecordHeadBytes = 10;

    // What follows the two names of a zone's record: five numbers. RFC 1035 §3.3.13.
    private const int ZoneNumbersBytes = 20;

    // Priority, weight and port, before the target. RFC 2782.
    private const int PlaceNumbersBytes = 6;

    private static readonly DnsReply Malformed = new(ReplyKind.Malformed);
    private static readonly DnsReply Stray = new(ReplyKind.Stray);

    /// <summary>Reads an answer to a question.</summary>
    /// <param name="message">What came.</param>
    /// <param name="id">What was asked with.</param>
    /// <param name="name">Whose records were asked for.</param>
    /// <param name="kind">Which ones.</param>
    public static DnsReply Read(ReadOnlySpan<byte> message, ushort id, DnsName name, RecordKind kind)
    {
        if (message.Length < DnsQuery.HeadBytes || BinaryPrimitives.ReadUInt16BigEndian(message) != id)
            return Stray;

        var flags = BinaryPrimitives.ReadUInt16BigEndian(message[2..]);
        var code = flags & CodeMask;
        if ((flags & (IsReply | OperationMask)) != IsReply)
            return Stray;

        var isNotUnderstood = code is FormatError or NotImplemented;
        var offset = DnsQuery.HeadBytes;
        var questions = BinaryPrimitives.ReadUInt16BigEndian(message[4..]);

        // A server that cannot read a question may not be able to repeat it either.
        if (!(questions == 0 && isNotUnderstood) && !(questions == 1 && IsAsked(message, ref offset, name, kind)))
            return Stray;

        // What a truncated message has is not worth a look: the whole of it is asked for.
        if ((flags & IsTruncated) != 0)
            return new(ReplyKind.Truncated);
        if (code is not (NoError or NameError))
        {
            return new(isNotUnderstood ? ReplyKind.NotUnderstood
                : code == Refused ? ReplyKind.Refused
                : ReplyKind.ServerFailed);
        }

        if (!TryReadRecords(message, offset, out var sections, out var isExtendedError))
            return Malformed;

        return isExtendedError
            ? new(ReplyKind.ServerFailed)
            : Conclude(message, sections, name, kind, isNameError: code == NameError);
    }

    private static bool IsAsked(ReadOnlySpan<byte> message, ref int offset, DnsName name, RecordKind kind)
    {
        if (!DnsName.TryRead(message, ref offset, out var asked) || message.Length - offset < 4)
            return false;

        var isSame = asked.Equals(name)
            && BinaryPrimitives.ReadUInt16BigEndian(message[offset..]) == (ushort)kind
            && BinaryPrimitives.ReadUInt16BigEndian(message[(offset + 2)..]) == DnsQuery.Internet;
        offset += 4;
        return isSame;
    }

    private static bool TryReadRecords(
        ReadOnlySpan<byte> message, int offset, out Sections sections, out bool isExtendedError)
    {
        sections = new([], [], []);
        isExtendedError = false;
        ReadOnlySpan<List<Record>> all = [sections.Answer, sections.Authority, sections.Additional];
        for (var section = 0; section < all.Length; section++)
        {
            var count = BinaryPrimitives.ReadUInt16BigEndian(message[(6 + 2 * section)..]);
            for (; count > 0; count--)
            {
                if (!DnsName.TryRead(message, ref offset, out var owner) || message.Length - offset < RecordHeadBytes)
                    return false;

                var head = message.Slice(offset, RecordHeadBytes);
                var length = BinaryPrimitives.ReadUInt16BigEndian(head[8..]);
                offset += RecordHeadBytes;
                if (message.Length - offset < length)
                    return false;

                var kind = (RecordKind)BinaryPrimitives.ReadUInt16BigEndian(head);

                // The upper bits of the code of an error, where it is an extended one. RFC 6891 §6.1.3.
                if (kind == RecordKind.Extension)
                    isExtendedError |= head[4] != 0;

                // Records of other classes are none of ours.
                else if (BinaryPrimitives.ReadUInt16BigEndian(head[2..]) == DnsQuery.Internet)
                    all[section].Add(new(owner, kind, TimeOf(head[4..]), offset, length));

                offset += length;
            }
        }

        return true;
    }

    // The first bit is never set; a value that has it counts as zero. RFC 2181 §8.
    private static int TimeOf(ReadOnlySpan<byte> bytes) => Math.Max(BinaryPrimitives.ReadInt32BigEndian(bytes), 0);

    // From the name that was asked for along its aliases to whatever is said of the last one. RFC 1034 §3.6.2.
    private static DnsReply Conclude(
        ReadOnlySpan<byte> message, in Sections sections, DnsName name, RecordKind kind, bool isNameError)
    {
        var (current, seconds) = (name, int.MaxValue);
        for (var aliases = 0; aliases <= Limits.AliasesMax; aliases++)
        {
            var records = sections.Answer.FindAll(record => record.Kind == kind && record.Owner.Equals(current));
            if (records.Count > 0)
            {
                return isNameError
                    ? Malformed
                    : ReadWanted(message, sections, records, kind, seconds) with { Aliases = aliases };
            }

            var alias = sections.Answer.FindIndex(
                record => record.Kind == RecordKind.Alias && record.Owner.Equals(current));
            if (alias < 0)
                return Deny(message, sections, current, isNameError, aliases, seconds);

            var (offset, record) = (sections.Answer[alias].Offset, sections.Answer[alias]);
            if (!DnsName.TryRead(message, ref offset, out var target) || offset != record.End)
                return Malformed;

            (current, seconds) = (target, Math.Min(seconds, record.Seconds));
        }

        return Malformed;
    }

    private static DnsReply ReadWanted(
        ReadOnlySpan<byte> message, in Sections sections, List<Record> records, RecordKind kind, int seconds)
    {
        var addresses = new List<IPAddress>();
        var places = new List<PlaceRecord>();
        foreach (var record in records)
        {
            seconds = Math.Min(seconds, record.Seconds);
            if (kind != RecordKind.Place)
            {
                if (AddressOf(message, record) is not { } address)
                    return Malformed;

                addresses.Add(address);
            }
            else if (TryReadPlace(message, record, out var place))
                places.Add(place);
            else
                return Malformed;
        }

        return new(ReplyKind.Records)
        {
            Addresses = addresses,
            Places = places,
            Hosts = HostsOf(message, kind == RecordKind.Place ? sections.Additional : [], ref seconds),
            TimeToLive = TimeSpan.FromSeconds(seconds),
        };
    }

    private static IPAddress? AddressOf(ReadOnlySpan<byte> message, Record record)
    {
        var length = record.Kind switch { RecordKind.Address4 => 4, RecordKind.Address6 => 16, _ => 0 };
        return length > 0 && length == record.Length ? new IPAddress(message.Slice(record.Offset, length)) : null;
    }

    private static bool TryReadPlace(ReadOnlySpan<byte> message, Record record, out PlaceRecord place)
    {
        place = default;
        var offset = record.Offset + PlaceNumbersBytes;
        if (record.Length <= PlaceNumbersBytes || !DnsName.TryRead(message, ref offset, out var target)
            || offset != record.End)
            return false;

        var numbers = message.Slice(record.Offset, PlaceNumbersBytes);
        place = new(
            BinaryPrimitives.ReadUInt16BigEndian(numbers), BinaryPrimitives.ReadUInt16BigEndian(numbers[2..]),
            BinaryPrimitives.ReadUInt16BigEndian(numbers[4..]), target);
        return true;
    }

    // Whatever else is in that section was not asked for.
    private static ILookup<DnsName, IPAddress> HostsOf(
        ReadOnlySpan<byte> message, List<Record> additional, ref int seconds)
    {
        var hosts = new List<(DnsName Name, IPAddress Address)>();
        foreach (var record in additional)
        {
            if (AddressOf(message, record) is not { } address)
                continue;

            hosts.Add((record.Owner, address));
            seconds = Math.Min(seconds, record.Seconds);
        }

        return hosts.ToLookup(host => host.Name, host => host.Address);
    }

    private static DnsReply Deny(
        ReadOnlySpan<byte> message, in Sections sections, DnsName current, bool isNameError, int aliases,
        int aliasSeconds)
    {
        var zone = sections.Authority.FindIndex(record => record.Kind == RecordKind.Zone);
        var seconds = 0;
        if (zone >= 0 && !TryReadSilence(message, sections.Authority[zone], out seconds))
            return Malformed;

        if (isNameError)
            return new(ReplyKind.NoSuchName) { TimeToLive = TimeSpan.FromSeconds(seconds) };
        if (zone < 0 && aliases > 0)
        {
            return new(ReplyKind.Alias)
            {
                Target = current,
                Aliases = aliases,
                TimeToLive = TimeSpan.FromSeconds(aliasSeconds),
            };
        }

        // Who only names somebody else to ask does not look names up for us. RFC 2308 §2.2.
        return zone < 0 && sections.Authority.Exists(record => record.Kind == RecordKind.Delegation)
            ? new(ReplyKind.ServerFailed)
            : new(ReplyKind.NoRecords) { TimeToLive = TimeSpan.FromSeconds(seconds) };
    }

    // How long there is nothing: the record's own time or the one in it, whichever is shorter. RFC 2308 §5.
    private static bool TryReadSilence(ReadOnlySpan<byte> message, Record zone, out int seconds)
    {
        seconds = 0;
        var offset = zone.Offset;
        if (!DnsName.TryRead(message, ref offset, out _) || !DnsName.TryRead(message, ref offset, out _)
            || zone.End - offset != ZoneNumbersBytes)
            return false;

        seconds = Math.Min(zone.Seconds, TimeOf(message[(zone.End - 4)..]));
        return true;
    }

    private readonly record struct Sections(List<Record> Answer, List<Record> Authority, List<Record> Additional);

    private readonly record struct Record(DnsName Owner, RecordKind Kind, int Seconds, int Offset, int Length)
    {
        public int End => Offset + Length;
    }
}
