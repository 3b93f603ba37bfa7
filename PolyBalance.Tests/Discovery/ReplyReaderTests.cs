using System.Net;
using NUnit.Framework;
using PolyBalance.Discovery;

namespace PolyBalance.Tests.Discovery;

/// <summary>What answers come to, good ones and hostile ones.</summary>
/// <remarks>All questions are for <c>a.example</c> with the id 7.</remarks>
internal sealed class ReplyReaderTests
{
    private const ushort Id = 7;
    private const string Asked = "a.example";

    private static readonly byte[] ToQuestion = [0xC0, DnsQuery.HeadBytes];

    [Test]
    public void Addresses_come_with_the_least_of_their_times()
    {
        var reply = Read(Reply().WithAddress(Asked, "10.0.0.1", 60).WithAddress("A.Example", "10.0.0.2", 20));

        Assert.That(reply.Kind, Is.EqualTo(ReplyKind.Records));
        Assert.That(reply.Addresses, Is.EqualTo(Addresses("10.0.0.1", "10.0.0.2")));
        Assert.That(reply.TimeToLive, Is.EqualTo(TimeSpan.FromSeconds(20)));
    }

    [Test]
    public void Addresses_of_the_sixth_version_do_too()
    {
        var reply = Reply(RecordKind.Address6).WithAddress(Asked, "2001:db8::1");

        Assert.That(Read(reply, RecordKind.Address6).Addresses, Is.EqualTo(Addresses("2001:db8::1")));
    }

    [Test]
    public void A_name_may_be_a_pointer_to_the_question()
        => Assert.That(Read(Reply().WithRaw(ToQuestion, RecordKind.Address4, 5, [10, 0, 0, 9])).Addresses,
            Is.EqualTo(Addresses("10.0.0.9")));

    [Test]
    public void Aliases_are_followed_within_the_answer_whatever_its_order()
    {
        var reply = Read(Reply().WithAddress("c.example", "10.0.0.1", 60).WithAlias("b.example", "c.example", 50)
            .WithAlias(Asked, "b.example", 40).WithAddress("other.example", "10.6.6.6", 1));

        Assert.That(reply.Addresses, Is.EqualTo(Addresses("10.0.0.1")));
        Assert.That((reply.Aliases, reply.TimeToLive), Is.EqualTo((2, TimeSpan.FromSeconds(40))));
    }

    [Test]
    public void An_alias_that_leads_out_of_the_answer_is_to_be_asked_for()
    {
        var reply = Read(Reply().WithAlias(Asked, "b.example", seconds: 8));

        Assert.That((reply.Kind, reply.Target?.ToString()), Is.EqualTo((ReplyKind.Alias, "b.example")));
        Assert.That((reply.Aliases, reply.TimeToLive), Is.EqualTo((1, TimeSpan.FromSeconds(8))));
    }

    [Test]
    public void An_alias_of_nothing_is_nothing()
    {
        var noRecords = Read(Reply().WithAlias(Asked, "b.example").WithSilence(9, 9));
        var noName = Read(Reply(code: 3).WithAlias(Asked, "b.example").WithSilence(9, 9));

        Assert.That((noRecords.Kind, noName.Kind), Is.EqualTo((ReplyKind.NoRecords, ReplyKind.NoSuchName)));
    }

    [Test]
    public void Aliases_in_a_circle_end()
        => Assert.That(Read(Reply().WithAlias(Asked, "b.example").WithAlias("b.example", Asked)).Kind,
            Is.EqualTo(ReplyKind.Malformed));

    [TestCase(Limits.AliasesMax, ReplyKind.Records)]
    [TestCase(Limits.AliasesMax + 1, ReplyKind.Malformed)]
    public void So_do_aliases_without_end(int count, ReplyKind expected)
    {
        var reply = Reply().WithAlias(Asked, "1.example");
        for (var alias = 1; alias < count; alias++)
            reply.WithAlias($"{alias}.example", $"{alias + 1}.example");

        Assert.That(Read(reply.WithAddress($"{count}.example", "10.0.0.1")).Kind, Is.EqualTo(expected));
    }

    [Test]
    public void Places_come_with_the_addresses_that_were_sent_along()
    {
        var reply = Read(
            Reply(RecordKind.Place).WithPlace(Asked, "one.example", 8080, weight: 10, priority: 1)
                .WithPlace(Asked, "two.example", 8081).WithHost("one.example", "10.0.0.1", 12)
                .WithHost("one.example", "2001:db8::1").WithExtension(),
            RecordKind.Place);

        Assert.That(reply.Places.Select(place => (place.Priority, place.Weight, place.Port, place.Target.ToString())),
            Is.EqualTo([(1, 10, 8080, "one.example"), (0, 0, 8081, "two.example")]));
        Assert.That(reply.Hosts[reply.Places[0].Target], Is.EqualTo(Addresses("10.0.0.1", "2001:db8::1")));
        Assert.That(reply.Hosts[reply.Places[1].Target], Is.Empty);
        Assert.That(reply.TimeToLive, Is.EqualTo(TimeSpan.FromSeconds(12)));
    }

    [TestCase(3, 60, 20, ReplyKind.NoSuchName, 20)]
    [TestCase(0, 10, 20, ReplyKind.NoRecords, 10)]
    public void Nothing_holds_as_long_as_the_zone_says(int code, int seconds, int least, ReplyKind kind, int expected)
    {
        var reply = Read(Reply(code: code).WithSilence(seconds, least));

        Assert.That((reply.Kind, reply.TimeToLive), Is.EqualTo((kind, TimeSpan.FromSeconds(expected))));
    }

    [Test]
    public void Who_only_names_somebody_else_has_not_answered()
        => Assert.That(Read(Reply().WithDelegation("example", "ns.example")).Kind, Is.EqualTo(ReplyKind.ServerFailed));

    [TestCase(0, ReplyKind.NoRecords)]
    [TestCase(1, ReplyKind.NotUnderstood)]
    [TestCase(2, ReplyKind.ServerFailed)]
    [TestCase(3, ReplyKind.NoSuchName)]
    [TestCase(4, ReplyKind.NotUnderstood)]
    [TestCase(5, ReplyKind.Refused)]
    [TestCase(6, ReplyKind.ServerFailed)]
    [TestCase(15, ReplyKind.ServerFailed)]
    public void A_code_says_what_went_wrong(int code, ReplyKind expected)
        => Assert.That(Read(Reply(code: code)).Kind, Is.EqualTo(expected));

    [Test]
    public void The_upper_bits_of_a_code_count_too()
        => Assert.That(Read(Reply().WithExtension(upperCode: 1)).Kind, Is.EqualTo(ReplyKind.ServerFailed));

    [Test]
    public void Half_an_answer_is_asked_for_again_whatever_is_in_it()
        => Assert.That(Read(new ReplyBytes(Id, Asked, RecordKind.Address4) { Flags = 0x8380, ExtraAnswers = 9 }).Kind,
            Is.EqualTo(ReplyKind.Truncated));

    [Test]
    public void What_does_not_answer_the_question_is_astray()
    {
        ReplyBytes[] strays =
        [
            new(8, Asked, RecordKind.Address4),
            new(Id, "b.example", RecordKind.Address4),
            new(Id, Asked, RecordKind.Address6),
            new(Id, Asked, RecordKind.Address4) { Flags = 0x0100 },
            new(Id, Asked, RecordKind.Address4) { Flags = 0xA180 },
            new(Id, Asked, RecordKind.Address4) { Questions = 2 },
            new(Id, []) { Questions = 0 },
            new(Id, []),
            new(Id, [.. ReplyBytes.NameBytes(Asked), 0, 1, 0, 3]),
            new(Id, [.. ReplyBytes.NameBytes(Asked), 0, 1]),
        ];
        foreach (var stray in strays)
            Assert.That(Read(stray).Kind, Is.EqualTo(ReplyKind.Stray), Convert.ToHexString(stray.ToArray()));
        for (var length = 0; length < DnsQuery.HeadBytes; length++)
            Assert.That(Read(Reply().ToArray()[..length]).Kind, Is.EqualTo(ReplyKind.Stray));
    }

    [Test]
    public void Who_does_not_understand_a_question_need_not_repeat_it()
        => Assert.That(Read(new ReplyBytes(Id, []) { Questions = 0, Code = 1 }).Kind,
            Is.EqualTo(ReplyKind.NotUnderstood));

    private static IEnumerable<TestCaseData> Broken()
    {
        yield return Case("An address of three bytes",
            Reply().WithRaw(ToQuestion, RecordKind.Address4, 5, [10, 0, 0]));
        yield return Case("An address of five bytes",
            Reply().WithRaw(ToQuestion, RecordKind.Address4, 5, [10, 0, 0, 1, 1]));
        yield return Case("Fewer records than the head says", Reply().WithAddress(Asked, "10.0.0.1"), extra: 1);
        yield return Case("All the records that a head can claim", Reply(), extra: ushort.MaxValue);
        yield return Case("A record that is longer than the message",
            Reply().WithRaw(ToQuestion, RecordKind.Address4, 5, [10, 0, 0, 1], length: 5));
        yield return Case("A record of which only a name is there", Reply(), extra: 1, tail: [0]);
        yield return Case("An alias whose name is longer than its record",
            Reply().WithRaw(ToQuestion, RecordKind.Alias, 5, [1, (byte)'b', 0], length: 2));
        yield return Case("An alias whose record is longer than its name",
            Reply().WithRaw(ToQuestion, RecordKind.Alias, 5, [1, (byte)'b', 0, 0]));
        yield return Case("An alias that points at itself",
            Reply().WithRaw(ToQuestion, RecordKind.Alias, 5, [0xC0, 12 + 11 + 4 + 2 + 10]));
        yield return Case("An owner that points forward",
            Reply().WithRaw([0xC0, 0x40], RecordKind.Address4, 5, [10, 0, 0, 1]));
        yield return Case("A zone without its numbers",
            Reply().WithRaw(ToQuestion, RecordKind.Zone, 5, [0, 0]), expected: ReplyKind.NoRecords);
        yield return Case("A name that is not there and has an address",
            Reply(code: 3).WithAddress(Asked, "10.0.0.1"));
    }

    [TestCaseSource(nameof(Broken))]
    public void What_cannot_be_read_is_malformed(byte[] message, ReplyKind expected)
        => Assert.That(Read(message).Kind, Is.EqualTo(expected));

    [TestCase("")]
    [TestCase("0000 0000 1F90", Description = "no target")]
    [TestCase("0000 0000 1F90 01", Description = "half a target")]
    [TestCase("0000 0000 1F90 00 00", Description = "something behind it")]
    [TestCase("0000 0000 1F90 C0FF", Description = "a target that is not there")]
    public void A_place_is_read_whole_or_not_at_all(string content)
        => Assert.That(
            Read(
                Reply(RecordKind.Place).WithRaw(ToQuestion, RecordKind.Place, 5,
                    Convert.FromHexString(content.Replace(" ", "", StringComparison.Ordinal))),
                RecordKind.Place).Kind,
            Is.EqualTo(ReplyKind.Malformed));

    [Test]
    public void A_time_whose_first_bit_is_set_is_none()
        => Assert.That(Read(Reply().WithAddress(Asked, "10.0.0.1", int.MinValue)).TimeToLive,
            Is.EqualTo(TimeSpan.Zero));

    [Test]
    public void Records_of_other_kinds_do_not_matter()
        => Assert.That(
            Read(Reply().WithRaw(ToQuestion, (RecordKind)46, 1, new byte[99]).WithAddress(Asked, "10.0.0.1", 30)),
            Has.Property(nameof(DnsReply.TimeToLive)).EqualTo(TimeSpan.FromSeconds(30)));

    [Test]
    public void Every_beginning_of_an_answer_is_refused()
    {
        var whole = Reply(RecordKind.Place).WithAlias(Asked, "b.example").WithPlace("b.example", "c.example", 80)
            .WithSilence(1, 1).WithHost("c.example", "10.0.0.1").ToArray();

        for (var length = 0; length < whole.Length; length++)
        {
            Assert.That(Read(whole[..length], RecordKind.Place).Kind,
                Is.EqualTo(ReplyKind.Stray).Or.EqualTo(ReplyKind.Malformed), $"{length} bytes");
        }

        Assert.That(Read(whole, RecordKind.Place).Kind, Is.EqualTo(ReplyKind.Records));
    }

    private static TestCaseData Case(
        string name, ReplyBytes reply, int extra = 0, byte[]? tail = null, ReplyKind expected = ReplyKind.Malformed)
    {
        var bytes = reply.ToArray();
        var count = (bytes[6] << 8) + bytes[7] + extra;
        (bytes[6], bytes[7]) = ((byte)(Math.Min(count, ushort.MaxValue) >> 8), (byte)Math.Min(count, ushort.MaxValue));
        return new TestCaseData((byte[])[.. bytes, .. tail ?? []], expected).SetName(name);
    }

    private static ReplyBytes Reply(RecordKind kind = RecordKind.Address4, int code = 0)
        => new(Id, Asked, kind) { Code = code };

    private static DnsReply Read(ReplyBytes reply, RecordKind kind = RecordKind.Address4)
        => Read(reply.ToArray(), kind);

    private static DnsReply Read(byte[] message, RecordKind kind = RecordKind.Address4)
        => ReplyReader.Read(message, Id, SomeName.Of(Asked), kind);

    private static IPAddress[] Addresses(params string[] texts) => [.. texts.Select(IPAddress.Parse)];
}
