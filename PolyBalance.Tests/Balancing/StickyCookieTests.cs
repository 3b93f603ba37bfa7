using System.Buffers.Text;
using NUnit.Framework;
using PolyBalance.Balancing;
using PolyBalance.Configuration;
using PolyBalance.Tests.Http;

namespace PolyBalance.Tests.Balancing;

internal sealed class StickyCookieTests
{
    private const long Expiry = 1_900_000_000;
    private const ulong Id = 0x0123_4567_89AB_CDEF;

    private static readonly byte[] First = HttpText.Bytes("first-key-0123456789-0123456789-01");
    private static readonly byte[] Second = HttpText.Bytes("second-key-0123456789-0123456789-0");

    [TestCase(0L)]
    [TestCase(Expiry)]
    [TestCase((1L << 40) - 1)]
    public void What_was_written_is_read(long expiry)
    {
        var value = Write(First, Id, expiry);

        Assert.That(StickyCookie.TryRead(value, new(First), out var claim), Is.True);
        Assert.That(claim, Is.EqualTo(new StickyClaim(0, Id, expiry)));
        Assert.That(HttpText.Text(value), Does.Match("^[A-Za-z0-9_-]{40}$"));
    }

    [Test]
    public void Any_key_verifies_and_the_claim_says_which()
    {
        Assert.That(StickyCookie.TryRead(Write(Second, Id, Expiry), new(First, Second), out var claim), Is.True);
        Assert.That(claim.Key, Is.EqualTo(1));
        Assert.That(StickyCookie.TryRead(Write(Second, Id, Expiry), new(First), out _), Is.False);
    }

    [Test]
    public void A_value_of_which_any_bit_is_another_is_refused()
    {
        var value = Write(First, Id, Expiry);
        var bytes = Base64Url.DecodeFromUtf8(value);
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.That(Reads(Base64Url.EncodeToUtf8(bytes)), Is.False, $"bit {bit}");
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.That(Reads(Base64Url.EncodeToUtf8(bytes)), Is.True);
    }

    [Test]
    public void A_value_of_which_any_character_is_another_is_refused()
    {
        var value = Write(First, Id, Expiry);
        for (var index = 0; index < value.Length; index++)
        {
            var before = value[index];
            for (var other = 0; other <= byte.MaxValue; other++)
            {
                value[index] = (byte)other;
                Assert.That(Reads(value), Is.EqualTo(other == before), $"{other} at {index}");
            }

            value[index] = before;
        }
    }

    [Test]
    public void A_value_of_any_other_length_is_refused()
    {
        var value = Write(First, Id, Expiry);
        for (var length = 0; length < value.Length; length++)
        {
            Assert.That(Reads(value.AsSpan(0, length)), Is.False, $"the first {length}");
            Assert.That(Reads(value.AsSpan(value.Length - length)), Is.False, $"the last {length}");
        }

        foreach (var more in (string[])["A", "=", "==", " ", "\0"])
            Assert.That(Reads([.. value, .. HttpText.Bytes(more)]), Is.False, $"and {more}");
    }

    [Test]
    public void Bytes_at_random_are_never_a_cookie()
    {
        var random = new Random(31);
        var read = 0;
        for (var round = 0; round < 10_000; round++)
        {
            var any = new byte[random.Next(100)];
            random.NextBytes(any);
            var alike = new byte[StickyCookie.Length];
            random.GetItems("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"u8, alike);
            alike[0] = (byte)'A';
            alike[1] = (byte)('Q' + random.Next(16));       // the version is right
            read += (Reads(any) ? 1 : 0) + (Reads(alike) ? 1 : 0);
        }

        Assert.That(read, Is.Zero);
    }

    [Test]
    public void A_backend_has_another_id_under_another_key_in_another_cluster_and_by_another_name()
    {
        ulong[] ids =
        [
            StickyCookie.IdOf(First, "web", "a"), StickyCookie.IdOf(Second, "web", "a"),
            StickyCookie.IdOf(First, "api", "a"), StickyCookie.IdOf(First, "web", "b"),
            StickyCookie.IdOf(First, "we", "ba"), StickyCookie.IdOf(First, "weba", ""),
        ];

        Assert.That(ids, Is.Unique);
        Assert.That(StickyCookie.IdOf(First, "web", "a"), Is.EqualTo(ids[0]));
    }

    /// <summary>Instances of different versions must agree, so what is on the wire is written down.</summary>
    [Test]
    public void The_format_stays_as_it_is()
    {
        var id = StickyCookie.IdOf(First, "web", "10.0.0.11:8080");

        Assert.That(
            (id.ToString("x16"), HttpText.Text(Write(First, id, Expiry))),
            Is.EqualTo(("527bc79d040d23ee", "AVJ7x50EDSPuAHE_swBunksUoDok3AadbxGfEw0P")));
    }

    private static bool Reads(ReadOnlySpan<byte> value)
        => StickyCookie.TryRead(value, new SigningKeys(First, Second), out _);

    private static byte[] Write(byte[] key, ulong id, long expiry)
    {
        var value = new byte[StickyCookie.Length];
        StickyCookie.Write(key, id, expiry, value);
        return value;
    }
}
