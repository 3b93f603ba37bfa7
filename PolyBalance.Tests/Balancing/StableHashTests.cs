using NUnit.Framework;
using PolyBalance.Balancing;

namespace PolyBalance.Tests.Balancing;

internal sealed class StableHashTests
{
    // The first three are published test vectors of FNV-1a with 64 bits.
    [TestCase("", 0xCBF29CE484222325)]
    [TestCase("a", 0xAF63DC4C8601EC8C)]
    [TestCase("foobar", 0x85944171F73967E8)]
    public void The_hash_is_the_published_one(string text, ulong expected)
    {
        Assert.That(StableHash.Of(text), Is.EqualTo(expected));
        Assert.That(StableHash.Of(System.Text.Encoding.ASCII.GetBytes(text)), Is.EqualTo(expected));
    }

    [Test]
    public void Case_matters_only_where_it_should()
    {
        Assert.That(StableHash.OfLowerCase("Example.COM[]"u8), Is.EqualTo(StableHash.Of("example.com[]"u8)));
        Assert.That(StableHash.Of("A"u8), Is.Not.EqualTo(StableHash.Of("a"u8)));
    }

    [Test]
    public void Mixing_is_that_of_split_mix_64()
        => Assert.That(StableHash.Mix(0x9E37_79B9_7F4A_7C15), Is.EqualTo(0xE220_A839_7B1D_CDAF),
            "the first number that SplitMix64 yields from the seed 0");
}
