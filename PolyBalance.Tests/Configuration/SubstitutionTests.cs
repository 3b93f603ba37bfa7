using NUnit.Framework;
using PolyBalance.Configuration;

namespace PolyBalance.Tests.Configuration;

internal sealed class SubstitutionTests
{
    private static readonly (string, string)[] Variables =
        [("PORT", "9000"), ("EMPTY", ""), ("TRICK", "${PORT}"), ("YES", "yes")];

    [TestCase("${PORT}", ExpectedResult = "9000")]
    [TestCase("a${PORT}b${PORT}c", ExpectedResult = "a9000b9000c")]
    [TestCase("${NONE:-8080}", ExpectedResult = "8080")]
    [TestCase("${NONE:-}", ExpectedResult = "")]
    [TestCase("${EMPTY:-8080}", ExpectedResult = "8080")]
    [TestCase("${EMPTY}", ExpectedResult = "")]
    [TestCase("${PORT:-8080}", ExpectedResult = "9000")]
    [TestCase("${NONE:-a:-b}", ExpectedResult = "a:-b")]
    [TestCase("$${PORT}", ExpectedResult = "${PORT}")]
    [TestCase("$PORT $ $$", ExpectedResult = "$PORT $ $$")]
    [TestCase("${TRICK}", ExpectedResult = "${PORT}", TestName = "what a variable holds is not looked at again")]
    public string? Variables_are_put_into_values(string text)
        => Substitution.Apply(text, Look, (_, flaw) => Assert.Fail(flaw.Problem));

    [TestCase("a ${NONE}", "2: the environment variable `NONE` is not set; set it, or write `${NONE:-default}`")]
    [TestCase("${PORT", "0: `${` without `}`; write `${NAME}`, or `$${` for the characters themselves")]
    [TestCase("${}", "0: `` is no name of a variable; write `${NAME}` or `${NAME:-default}`")]
    [TestCase("${1A}", "0: `1A` is no name of a variable; write `${NAME}` or `${NAME:-default}`")]
    [TestCase("${A-B}", "0: `A-B` is no name of a variable; write `${NAME}` or `${NAME:-default}`")]
    public void A_wrong_mention_is_refused_with_its_place(string text, string expected)
    {
        var found = new List<string>();
        var value = Substitution.Apply(text, Look,
            (index, flaw) => found.Add($"{index}: {flaw.Problem}; {flaw.Remedy}"));

        Assert.That(value, Is.Null);
        Assert.That(found, Is.EqualTo((string[])[expected]));
    }

    [Test]
    public void Every_missing_variable_of_a_value_is_reported()
    {
        var found = new List<int>();
        Substitution.Apply("${A}${B}", Look, (index, _) => found.Add(index));

        Assert.That(found, Is.EqualTo((int[])[0, 4]));
    }

    [Test]
    public void A_value_cannot_grow_without_bound()
    {
        var problem = "";
        var value = Substitution.Apply("${BIG}", _ => new string('x', 100_000), (_, flaw) => problem = flaw.Problem);

        Assert.That((value, problem),
            Is.EqualTo(((string?)null, "the value is too long once its variables are put in")));
    }

    [Test]
    public void Values_are_substituted_before_they_are_interpreted()
    {
        var options = Parsing.Options("""
            listeners: [ { bind: ":${PORT}" } ]
            admin: ${ADMIN:-off}
            clusters:
              web:
                backends: [ "${B1:-10.0.0.1}:${PORT}", { address: a:80, name: "${YES}" } ]
                pool: { size: "${SIZE:-7}" }
            """, Variables);

        Assert.That(options.Listeners[0].Bind, Is.EqualTo(Address.Tcp("", 9000)));
        Assert.That(options.Admin, Is.Null);
        Assert.That(options.Clusters[0].Backends[0].Address, Is.EqualTo(Address.Tcp("10.0.0.1", 9000)));
        Assert.That(options.Clusters[0].Backends[1].Name, Is.EqualTo("yes"));
        Assert.That(options.Clusters[0].Pool.IdleConnections, Is.EqualTo(7));
    }

    [Test]
    public void A_missing_variable_is_one_error_at_its_place()
        => Assert.That(Parsing.Errors("""
            listeners:
              - bind: :${NO_PORT}
            clusters:
              web:
                backends: [ "10.0.0.1:${NO_PORT}" ]
            """), Is.EqualTo((string[])
        [
            "2:12: the environment variable `NO_PORT` is not set; set it, or write `${NO_PORT:-default}`",
            "5:27: the environment variable `NO_PORT` is not set; set it, or write `${NO_PORT:-default}`",
        ]));

    [Test]
    public void Keys_are_never_substituted()
        => Assert.That(Parsing.Errors(Parsing.Smallest + "\"${KEY}\": 1\n", ("KEY", "limits")), Has.Length.EqualTo(1)
            .And.Some.StartsWith("6:1: unknown key `${KEY}`"));

    private static string? Look(string name) => Variables.FirstOrDefault(variable => variable.Item1 == name).Item2;
}
