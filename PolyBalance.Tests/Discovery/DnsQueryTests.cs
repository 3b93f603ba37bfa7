using NUnit.Framework;
using PolyBalance.Discovery;

namespace PolyBalance.Tests.Discovery;

internal sealed class DnsQueryTests
{
    [Test]
    public void A_question_has_one_name_and_asks_for_recursion()
        => Assert.That(Written(RecordKind.Address6, isExtended: false), Is.EqualTo(Convert.FromHexString(
            "ABCD" + "0100" + "0001" + "0000" + "0000" + "0000" + "016100" + "001C" + "0001")));

    [Test]
    public void An_extended_one_says_how_long_a_datagram_we_take()
        => Assert.That(Written(RecordKind.Place, isExtended: true), Is.EqualTo(Convert.FromHexString(
            "ABCD" + "0100" + "0001" + "0000" + "0000" + "0001" + "016100" + "0021" + "0001"
            + "00" + "0029" + "04D0" + "00000000" + "0000")));

    [Test]
    public void The_longest_name_fits()
    {
        var label = new string('a', 63);
        var name = SomeName.Of($"{label}.{label}.{label}.{new string('a', 61)}");

        Assert.That(DnsQuery.Write(1, name, RecordKind.Address4, isExtended: true, new byte[DnsQuery.BytesMax]),
            Is.EqualTo(DnsQuery.BytesMax));
    }

    private static byte[] Written(RecordKind kind, bool isExtended)
    {
        var bytes = new byte[DnsQuery.BytesMax];
        Array.Fill(bytes, (byte)0xEE);
        return bytes[..DnsQuery.Write(0xABCD, SomeName.Of("a"), kind, isExtended, bytes)];
    }
}
