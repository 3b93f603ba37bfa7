using NUnit.Framework;
using PolyBalance.Discovery;

namespace PolyBalance.Tests.Discovery;

internal sealed class DnsNameTests
{
    private static readonly string Label63 = new('a', 63);

    [TestCase("a", "0161 00")]
    [TestCase("Backend.Default.SVC", "076261636b656e64 0764656661756c74 03737663 00")]
    [TestCase("a.b.", "0161 0162 00")]
    [TestCase(".", "00")]
    [TestCase("_http._tcp.x", "055f68747470 045f746370 0178 00")]
    public void A_name_is_its_labels_with_their_lengths_in_lower_case(string text, string bytes)
    {
        Assert.That(DnsName.TryParse(text, out var name));
        Assert.That(name!.Bytes.ToArray(), Is.EqualTo(Hex(bytes)));
    }

    [TestCase("")]
    [TestCase("a..b")]
    [TestCase(".a")]
    [TestCase("..")]
    [TestCase("é")]
    public void What_is_no_name_is_none(string text) => Assert.That(DnsName.TryParse(text, out _), Is.False);

    [Test]
    public void Labels_and_names_have_their_longest()
    {
        var longest = $"{Label63}.{Label63}.{Label63}.{new string('a', 61)}";

        Assert.That(DnsName.TryParse(longest, out var name));
        Assert.That(name!.Bytes.Length, Is.EqualTo(DnsName.BytesMax));
        Assert.That(DnsName.TryParse(longest + "a", out _), Is.False);
        Assert.That(DnsName.TryParse(Label63 + "a", out _), Is.False);
    }

    [TestCase("a", 0)]
    [TestCase("a.b.c", 2)]
    [TestCase(".", 0)]
    public void Dots_are_between_labels(string text, int dots)
        => Assert.That(SomeName.Of(text).Dots, Is.EqualTo(dots));

    [TestCase("0161 00", 0, "a", 3)]
    [TestCase("ff 0161 00", 1, "a", 4)]
    [TestCase("0141 0142 00", 0, "a.b", 5)]
    [TestCase("00", 0, ".", 1)]
    [TestCase("000000000000000000000000 0161 00 0162 c00c", 15, "b.a", 19, Description = "a pointer back")]
    [TestCase("000000000000000000000000 0161 00 0162 c00c c00f", 19, "b.a", 21, Description = "a pointer to a pointer")]
    [TestCase("02 2e5c 00", 0, @"\046\092", 4)]
    [TestCase("02 0aff 00", 0, @"\010\255", 4)]
    public void A_name_is_read_where_it_stands(string bytes, int offset, string expected, int end)
    {
        Assert.That(DnsName.TryRead(Hex(bytes), ref offset, out var name));
        Assert.That((name!.ToString(), offset), Is.EqualTo((expected, end)));
    }

    [TestCase("", 0)]
    [TestCase("01", 0)]
    [TestCase("0161", 0, Description = "no end")]
    [TestCase("026100", 0, Description = "a label that is longer than what is there")]
    [TestCase("4061", 0, Description = "a label of a kind that nobody uses")]
    [TestCase("8061", 0)]
    [TestCase("c0", 0, Description = "half a pointer")]
    [TestCase("000000000000000000000000 c00c", 12, Description = "a pointer to itself")]
    [TestCase("000000000000000000000000 c00e c00c", 12, Description = "a pointer forward")]
    [TestCase("000000000000000000000000 c00e c00c", 14, Description = "back, and forward again")]
    [TestCase("000000000000000000000000 0161 c00c", 12, Description = "a label over and over")]
    [TestCase("000000000000000000000000 0161 c00e", 12, Description = "a pointer into the name itself")]
    [TestCase("000000000000000000000000 c000", 12, Description = "a pointer into the head")]
    [TestCase("000000000000000000000000 c0ff", 12, Description = "a pointer out of the message")]
    public void What_is_no_name_is_not_read(string bytes, int offset)
    {
        var before = offset;

        Assert.That(DnsName.TryRead(Hex(bytes), ref offset, out _), Is.False);
        Assert.That(offset, Is.EqualTo(before));
    }

    [Test]
    public void Pointers_in_one_name_are_counted()
    {
        // One name, and then pointers each of which leads to the one before it.
        List<byte> bytes = [.. new byte[12], 1, (byte)'a', 0];
        var last = 12;
        for (var pointers = 1; pointers <= Limits.NamePointersMax + 1; pointers++)
        {
            var offset = bytes.Count;
            bytes.AddRange([0xC0, (byte)last]);
            last = offset;

            Assert.That(DnsName.TryRead(bytes.ToArray(), ref offset, out _),
                Is.EqualTo(pointers <= Limits.NamePointersMax), $"{pointers} pointers");
        }
    }

    [Test]
    public void A_name_that_grows_too_long_by_pointers_is_none()
    {
        List<byte> bytes = [.. new byte[12]];
        for (var part = 0; part < 5; part++)
        {
            var end = part == 0 ? new byte[] { 0 } : [0xC0, (byte)(12 + 65 * (part - 1))];
            bytes.AddRange([63, .. Enumerable.Repeat((byte)'a', 63), .. end]);
        }

        // The parts begin at 12, and then each after the 64 bytes of a label and its end.
        int[] starts = [12, 77, 143, 209, 275];
        for (var part = 1; part < 5; part++)
            bytes[starts[part] + 65] = (byte)starts[part - 1];

        var three = starts[2];
        var four = starts[3];
        Assert.That(DnsName.TryRead(bytes.ToArray(), ref three, out _));
        Assert.That(DnsName.TryRead(bytes.ToArray(), ref four, out _), Is.False, "256 bytes and the end");
    }

    [Test]
    public void A_name_below_another_one_has_the_labels_of_both()
    {
        var name = SomeName.Of("a.b");
        var almost = SomeName.Of($"{Label63}.{Label63}.{Label63}.{new string('a', 58)}");

        Assert.That(name.Below(SomeName.Of("c"))!.ToString(), Is.EqualTo("a.b.c"));
        Assert.That(name.Below(DnsName.Root), Is.EqualTo(name));
        Assert.That(name.Below(almost), Is.Null);
    }

    private static byte[] Hex(string text) => Convert.FromHexString(text.Replace(" ", "", StringComparison.Ordinal));
}
