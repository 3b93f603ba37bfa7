using NUnit.Framework;
using PolyBalance.Discovery;

namespace PolyBalance.Tests.Discovery;

internal sealed class ResolvConfTests
{
    [Test]
    public void Everything_that_matters_is_read()
    {
        var conf = ResolvConf.Parse("""
            # of a container
            nameserver 10.96.0.10
              nameserver	fd00::10
            search default.svc.cluster.local svc.cluster.local
            options timeout:2 ndots:5 rotate
            ; the end
            """);

        Assert.That(conf.Servers.Select(server => $"{server}"), Is.EqualTo(["10.96.0.10:53", "[fd00::10]:53"]));
        Assert.That(conf.Search.Select(name => $"{name}"),
            Is.EqualTo(["default.svc.cluster.local", "svc.cluster.local"]));
        Assert.That(conf.Dots, Is.EqualTo(5));
    }

    [TestCase("")]
    [TestCase("nameserver")]
    [TestCase("nameserver ns.example\nsearch\noptions ndots:x ndots:-1\n\0\u00ff x\n")]
    public void What_cannot_be_read_says_nothing(string text)
    {
        var conf = ResolvConf.Parse(text);

        Assert.That(conf.Servers.Select(server => $"{server}"), Is.EqualTo(["127.0.0.1:53"]));
        Assert.That((conf.Search.Count, conf.Dots), Is.EqualTo((0, 1)));
    }

    [TestCase("domain a.example\nsearch b.example c.example", "b.example c.example")]
    [TestCase("search b.example c.example\ndomain a.example x.example", "a.example")]
    public void The_last_line_counts(string text, string expected)
        => Assert.That(string.Join(' ', ResolvConf.Parse(text).Search), Is.EqualTo(expected));

    [Test]
    public void There_are_not_more_than_somebody_waits_for()
    {
        var conf = ResolvConf.Parse(
            string.Concat(Enumerable.Range(0, 99).Select(index => $"nameserver 10.0.0.{index}\n"))
            + "search " + string.Join(' ', Enumerable.Range(0, 99).Select(index => $"n{index}.example"))
            + "\noptions ndots:99");

        Assert.That((conf.Servers.Count, conf.Search.Count, conf.Dots),
            Is.EqualTo((Limits.NameServersMax, Limits.SearchNamesMax, 15)));
    }

    [Test]
    public void A_name_that_would_be_too_long_is_not_asked_for()
    {
        var conf = ResolvConf.Parse("search a.example");
        var name = SomeName.Of(string.Join('.', Enumerable.Repeat(new string('a', 61), 4)));

        Assert.That(conf.CandidatesFor(name, isAbsolute: false), Is.EqualTo([name]));
    }
}
