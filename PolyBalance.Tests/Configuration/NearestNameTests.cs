using NUnit.Framework;
using PolyBalance.Configuration;

namespace PolyBalance.Tests.Configuration;

internal sealed class NearestNameTests
{
    private static readonly string[] Names = ["interval", "timeout", "path", "max_connections", "size"];

    [TestCase("intervall", ExpectedResult = "interval")]
    [TestCase("intreval", ExpectedResult = "interval")]
    [TestCase("Timeout", ExpectedResult = "timeout")]
    [TestCase("max-connections", ExpectedResult = "max_connections")]
    [TestCase("maxConnections", ExpectedResult = "max_connections")]
    [TestCase("pathh", ExpectedResult = "path")]
    [TestCase("siez", ExpectedResult = "size")]
    [TestCase("colour", ExpectedResult = null)]
    [TestCase("", ExpectedResult = null)]
    public string? A_slip_of_the_finger_finds_the_name(string written) => NearestName.Of(written, Names);

    [Test]
    public void A_word_too_long_to_be_a_slip_is_not_compared()
        => Assert.That(NearestName.Of(new string('x', 1_000_000), Names), Is.Null);

    [TestCase("tiemout", ExpectedResult = "did you mean `timeout`?")]
    [TestCase("zzz", ExpectedResult = "one of `interval`, `timeout`, `path`, `max_connections`, `size`")]
    public string Without_a_near_name_all_are_listed(string written) => NearestName.Suggest(written, Names, "one of");

    [Test]
    public void A_single_alternative_is_simply_named()
        => Assert.That(NearestName.Suggest("api", ["web"], "one of"), Is.EqualTo("write `web`"));
}
