using NUnit.Framework;
using PolyBalance.Http;

namespace PolyBalance.Tests.Http;

internal sealed class PairsTests
{
    [TestCase("", "")]
    [TestCase("a=1", "1")]
    [TestCase("a=1; b=2;a=3 ;\ta=4", "1|3|4")]
    [TestCase("ba=1; a = 2; A=3; a; =a; a=", "")]
    [TestCase("a==x=y", "=x=y")]
    [TestCase(";; a=1;;", "1")]
    public void The_values_of_a_name_come_in_their_order(string list, string expected)
    {
        ReadOnlySpan<byte> rest = HttpText.Bytes(list);
        var values = new List<string>();
        while (Pairs.TryTake(ref rest, (byte)';', "a"u8, out var value))
            values.Add(HttpText.Text(value));

        Assert.That(string.Join('|', values), Is.EqualTo(expected));
        Assert.That(rest.IsEmpty, Is.True);
    }

    [Test]
    public void What_follows_a_pair_is_left()
    {
        ReadOnlySpan<byte> rest = "x=1&a=2&y=3"u8;

        Assert.That(Pairs.TryTake(ref rest, (byte)'&', "a"u8, out _), Is.True);
        Assert.That(HttpText.Text(rest), Is.EqualTo("y=3"));
    }
}
