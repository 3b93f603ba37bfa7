using NUnit.Framework;
using PolyBalance.Configuration;

namespace PolyBalance.Tests.Configuration;

internal sealed class SigningKeysTests
{
    private const string First = "first-0123456789-0123456789-0123456789";
    private const string Second = "second-0123456789-0123456789-012345678";

    [TestCase(First + "\n" + Second)]
    [TestCase("\uFEFF# signs\n" + First + "\n\n# until June\n  " + Second + "\t\n")]
    [TestCase("# made elsewhere\r\n" + First + "\r\n" + Second + "\r\n")]
    public void Each_line_is_a_key_in_its_order_and_comments_are_none(string text)
    {
        Assert.That(SigningKeys.TryParse(text.TrimStart('\uFEFF'), "keys", out var keys, out var errors), Is.True);
        Assert.That(errors, Is.Empty);
        Assert.That(keys!.Count, Is.EqualTo(2));
        Assert.That(keys[0].ToArray(), Is.EqualTo(First.Select(c => (byte)c)));
        Assert.That(keys[1].ToArray(), Is.EqualTo(Second.Select(c => (byte)c)));
    }

    [TestCase("", "keys:1:1: there is no key in this file; make one with `openssl rand -base64 32`")]
    [TestCase("# " + First + "\n\n", "keys:1:1: there is no key in this file; make one with `openssl rand -base64 32`")]
    [TestCase("# x\n  0123456789012345678901234567890",
        "keys:2:3: this key has fewer than 32 characters; make one with `openssl rand -base64 32`")]
    [TestCase(" key: " + First, "keys:1:6: a key consists of visible ASCII characters, and here is another one; "
        + "make one with `openssl rand -base64 32`")]
    [TestCase(First + "\n" + Second + "é", "keys:2:39: a key consists of visible ASCII characters, and here is another "
        + "one; make one with `openssl rand -base64 32`")]
    [TestCase(First + "\n\n" + First, "keys:3:1: the same key is at line 1 already; remove one of the two")]
    [TestCase("1" + First + "\n2" + First + "\n3" + First + "\n4" + First + "\n5" + First + "\n6" + First,
        "keys:5:1: there are more than 4 keys; remove the oldest, which is the last")]
    public void A_mistake_is_named_with_its_place_and_remedy_and_never_shows_a_key(string text, string expected)
    {
        Assert.That(SigningKeys.TryParse(text, "keys", out var keys, out var errors), Is.False);
        Assert.That(keys, Is.Null);
        Assert.That(errors.Select(error => error.ToString()), Is.EqualTo(new[] { expected }));
        Assert.That(expected, Does.Not.Contain("0123"));
    }

    [Test]
    public void All_mistakes_come_at_once()
    {
        Assert.That(
            SigningKeys.TryParse($"short\n{First}\na b\n{First}", "keys", out _, out var errors), Is.False);
        Assert.That(errors.Select(error => (error.Line, error.Column)), Is.EqualTo(new[] { (1, 1), (3, 2), (4, 1) }));
    }

    [Test]
    public void Keys_compare_by_value_and_order_and_show_their_number_only()
    {
        var one = Parse($"{First}\n{Second}");

        Assert.That(one, Is.EqualTo(Parse($"# the same\n{First}\n{Second}")));
        Assert.That(one.GetHashCode(), Is.EqualTo(Parse($"{First}\n{Second}").GetHashCode()));
        Assert.That(one, Is.Not.EqualTo(Parse($"{Second}\n{First}")));
        Assert.That(one, Is.Not.EqualTo(Parse(First)));
        Assert.That($"{one}, {Parse(First)}", Is.EqualTo("2 keys, 1 key"));
        Assert.That(
            $"{StickyOptions.Default with { Keys = one }}", Does.Contain("Keys = 2 keys").And.Not.Contain("0123"));
    }

    private static SigningKeys Parse(string text)
    {
        Assert.That(SigningKeys.TryParse(text, "keys", out var keys, out _), Is.True);
        return keys!;
    }
}
