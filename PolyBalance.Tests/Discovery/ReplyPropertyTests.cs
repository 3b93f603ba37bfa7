using FsCheck;
using FsCheck.Fluent;
using NUnit.Framework;
using PolyBalance.Discovery;

namespace PolyBalance.Tests.Discovery;

/// <summary>What holds for any bytes at all, beside the answers that somebody wrote down.</summary>
internal sealed class ReplyPropertyTests
{
    private const ushort Id = 0x0107;

    private static readonly RecordKind[] Kinds = [RecordKind.Address4, RecordKind.Address6, RecordKind.Place];

    private static readonly byte[][] Known =
    [
        new ReplyBytes(Id, "a.b", RecordKind.Address4).WithAlias("a.b", "c.d").WithAddress("c.d", "10.0.0.1")
            .WithExtension().ToArray(),
        new ReplyBytes(Id, "a.b", RecordKind.Place).WithPlace("a.b", "c.d", 80).WithPlace("a.b", "e.f", 81)
            .WithHost("c.d", "10.0.0.1").WithHost("e.f", "2001:db8::1").ToArray(),
        new ReplyBytes(Id, "a.b", RecordKind.Address6) { Code = 3 }.WithSilence(30, 30).ToArray(),
        new ReplyBytes(Id, "a.b", RecordKind.Address4)
            .WithRaw([0xC0, 12], RecordKind.Alias, 9, [1, (byte)'x', 0xC0, 14])
            .WithRaw([0xC0, 31], RecordKind.Address4, 9, [10, 0, 0, 1]).ToArray(),
    ];

    [Test]
    public void Any_bytes_are_an_answer_of_some_kind()
        => Holds(10_000, Prop.ForAll<byte[]>(bytes => IsSound(Read(bytes))));

    [Test]
    public void Any_bytes_behind_a_good_head_are_too()
        => Holds(10_000, Prop.ForAll<byte[], byte>((bytes, counts) =>
        {
            byte[] head =
            [
                0x01, 0x07, 0x81, 0x80, 0, 1, 0, (byte)(counts & 3), 0, (byte)(counts >> 2 & 3), 0,
                (byte)(counts >> 4), .. ReplyBytes.NameBytes("a.b"), 0, 1, 0, 1,
            ];
            return IsSound(Read([.. head, .. bytes]));
        }));

    [Test]
    public void Answers_with_some_bytes_replaced_removed_and_doubled_are_too()
    {
        var random = new Random(1);
        var kinds = new Dictionary<ReplyKind, int>();
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = Known[random.Next(Known.Length)].ToList();
            for (var change = random.Next(1, 4); change > 0; change--)
                Change(bytes, random);
            foreach (var kind in Kinds)
            {
                var reply = ReplyReader.Read(bytes.ToArray(), Id, SomeName.Of("a.b"), kind);
                Assert.That(IsSound(reply), Convert.ToHexString(bytes.ToArray()));
                kinds[reply.Kind] = kinds.GetValueOrDefault(reply.Kind) + 1;
            }
        }

        // Changes after which everything is refused, or nothing, would test nothing.
        Assert.That(kinds.Keys,
            Is.EquivalentTo(Enum.GetValues<ReplyKind>().Where(kind => kind < ReplyKind.TimedOut)));
    }

    [Test]
    public void A_name_is_read_as_it_was_written()
    {
        var label = Gen.Choose(1, 20).SelectMany(length => Gen.Choose('a', 'z').ArrayOf(length))
            .Select(letters => string.Concat(letters.Select(letter => (char)letter)));
        var names = Gen.Choose(1, 9).SelectMany(label.ArrayOf).Select(labels => string.Join('.', labels));

        Holds(1_000, Prop.ForAll(names.ToArbitrary(), text =>
        {
            var offset = 3;
            byte[] message = [9, 9, 9, .. SomeName.Of(text).Bytes, 9];
            return DnsName.TryRead(message, ref offset, out var name)
                && name.Equals(SomeName.Of(text)) && name.ToString() == text && offset == message.Length - 1;
        }));
    }

    [Test]
    public void The_longest_messages_cost_no_more_than_their_length()
    {
        // As many records as fit, each with a chain of pointers as long as it may be, over and over.
        List<byte> bytes =
            [0x01, 0x07, 0x81, 0x80, 0, 1, 0xFF, 0xFF, 0, 0, 0, 0, .. ReplyBytes.NameBytes("a.b"), 0, 1, 0, 1];
        var last = 12;
        bytes.AddRange([0xC0, 12, 0, 99, 0, 1, 0, 0, 0, 0, 0, 60]);
        for (var pointer = 0; pointer < 30; pointer++)
        {
            bytes.AddRange([0xC0, (byte)last]);
            last = bytes.Count - 2;
        }

        while (bytes.Count < ushort.MaxValue - 12)
            bytes.AddRange([0xC0, (byte)last, 0, 5, 0, 1, 0, 0, 0, 0, 0, 0]);

        var started = TimeProvider.System.GetTimestamp();
        Assert.That(Read([.. bytes]).Kind, Is.EqualTo(ReplyKind.Malformed));
        TestContext.Out.WriteLine($"{TimeProvider.System.GetElapsedTime(started).TotalMilliseconds} ms");
    }

    private static void Change(List<byte> bytes, Random random)
    {
        if (bytes.Count == 0)
            return;

        var at = random.Next(bytes.Count);
        switch (random.Next(5))
        {
            case 0:
                bytes[at] = (byte)random.Next(256);
                break;

            case 1:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;

            case 2:
                bytes.RemoveRange(at, Math.Min(random.Next(1, 5), bytes.Count - at));
                break;

            case 3:
                bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 20), bytes.Count - at)));
                break;

            default:
                bytes[at] = (byte)(0xC0 | random.Next(2));
                break;
        }
    }

    // Only what an answer is made of is in it.
    private static bool IsSound(DnsReply reply)
        => reply.TimeToLive >= TimeSpan.Zero
            && reply.Aliases <= Limits.AliasesMax
            && (reply.Kind == ReplyKind.Records) == (reply.Addresses.Count + reply.Places.Count > 0)
            && (reply.Kind == ReplyKind.Alias) == (reply.Target is not null);

    private static DnsReply Read(byte[] bytes) => ReplyReader.Read(bytes, Id, SomeName.Of("a.b"), RecordKind.Address4);

    private static void Holds(int rounds, Property property)
        => Check.One(Config.QuickThrowOnFailure.WithMaxTest(rounds), property);
}
