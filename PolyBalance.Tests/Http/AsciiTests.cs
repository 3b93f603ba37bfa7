using NUnit.Framework;
using PolyBalance.Http;

namespace PolyBalance.Tests.Http;

internal sealed class AsciiTests
{
    [Test]
    public void Each_byte_is_in_the_classes_that_the_grammar_puts_it_in()
    {
        for (var code = 0; code <= byte.MaxValue; code++)
        {
            var value = (byte)code;
            var character = (char)code;
            var isToken = char.IsAsciiLetterOrDigit(character) || "!#$%&'*+-.^_`|~".Contains(character);
            var isControl = code is < 0x20 or 0x7F && character != '\t';
            var isTarget = code is >= 0x21 and <= 0x7E && !"#%\\".Contains(character);
            var isName = char.IsAsciiLetterOrDigit(character) || "-._~!$&'()*+;=".Contains(character);

            Assert.That(Ascii.IsTokenByte(value), Is.EqualTo(isToken), $"token {code:X2}");
            Assert.That(Ascii.IsToken([value]), Is.EqualTo(isToken), $"token {code:X2}");
            Assert.That(Ascii.ControlBytes.Contains(value), Is.EqualTo(isControl), $"control {code:X2}");
            Assert.That(Ascii.TargetBytes.Contains(value), Is.EqualTo(isTarget), $"target {code:X2}");
            Assert.That(Ascii.RegisteredNameBytes.Contains(value), Is.EqualTo(isName), $"name {code:X2}");
            Assert.That(Ascii.IsBlank(value), Is.EqualTo(code is ' ' or '\t'), $"blank {code:X2}");
            Assert.That(
                Ascii.HexValue(value), Is.EqualTo("0123456789abcdef".IndexOf(char.ToLowerInvariant(character))),
                $"hex {code:X2}");
        }
    }

    [TestCase("0", 0)]
    [TestCase("007", 7)]
    [TestCase("9223372036854775807", long.MaxValue)]
    [TestCase("0000000000000000000000000000001", 1)]
    public void Digits_are_a_number(string digits, long expected)
    {
        Assert.That(Ascii.TryParseDecimal(HttpText.Bytes(digits), out var value), Is.True);
        Assert.That(value, Is.EqualTo(expected));
    }

    [TestCase("")]
    [TestCase("-1")]
    [TestCase("1 ")]
    [TestCase("/")]
    [TestCase(":")]
    [TestCase("9223372036854775808")]
    [TestCase("99999999999999999999")]
    public void Anything_else_is_none(string digits)
    {
        Assert.That(Ascii.TryParseDecimal(HttpText.Bytes(digits), out var value), Is.False);
        Assert.That(value, Is.Zero);
    }

    [TestCase("%41", ExpectedResult = true)]
    [TestCase("%aFx", ExpectedResult = true)]
    [TestCase("%4", ExpectedResult = false)]
    [TestCase("%4G", ExpectedResult = false)]
    [TestCase("x41", ExpectedResult = false)]
    [TestCase("", ExpectedResult = false)]
    public bool A_percent_needs_two_hex_digits(string text) => Ascii.StartsWithPercentEncoding(HttpText.Bytes(text));

    [TestCase("", ExpectedResult = "")]
    [TestCase(" ,\t, ", ExpectedResult = "")]
    [TestCase("a", ExpectedResult = "[a]")]
    [TestCase(" a b\t,,c ,", ExpectedResult = "[a b][c]")]
    public string A_list_is_taken_apart(string list)
    {
        ReadOnlySpan<byte> rest = HttpText.Bytes(list);
        var elements = "";
        while (Ascii.TryTakeElement(ref rest, out var element))
            elements += $"[{HttpText.Text(element)}]";

        return elements;
    }

    [TestCase("a, B ,c", "b", ExpectedResult = true)]
    [TestCase("ab", "b", ExpectedResult = false)]
    [TestCase("\"b, b\"", "b", ExpectedResult = false)]
    [TestCase("b;q=1", "b", ExpectedResult = false)]
    [TestCase("", "b", ExpectedResult = false)]
    public bool A_list_contains_a_token(string list, string token)
        => Ascii.ListContains(HttpText.Bytes(list), HttpText.Bytes(token));

    [TestCase("Host", "hOST", ExpectedResult = true)]
    [TestCase("a", "ab", ExpectedResult = false)]
    [TestCase("@", "`", ExpectedResult = false, TestName = "no letters: 0x20 apart is not the same")]
    [TestCase("\u00E4", "\u00E4", ExpectedResult = false, TestName = "no ASCII")]
    public bool Case_is_ignored_for_letters_only(string left, string right)
        => Ascii.EqualsIgnoreCase(HttpText.Bytes(left), HttpText.Bytes(right));
}
