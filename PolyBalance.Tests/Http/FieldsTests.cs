using NUnit.Framework;
using PolyBalance.Http;

namespace PolyBalance.Tests.Http;

internal sealed class FieldsTests
{
    private const string Lines =
        "Host: h\r\nA: 1\r\nConnection: x, Close\r\nB:2\r\nconnection: ,y ,\r\nTE: trailers\r\n";

    [Test]
    public void Known_fields_are_found_in_any_case_and_number()
    {
        var fields = Fields();

        Assert.That(fields.Count, Is.EqualTo(6));
        Assert.That(fields.Has(KnownField.Te), Is.True);
        Assert.That(fields.Has(KnownField.Upgrade), Is.False);
        Assert.That(fields.IsRepeated(KnownField.Connection), Is.True);
        Assert.That(fields.IsRepeated(KnownField.Host), Is.False);
        Assert.That(fields.IndexOf(KnownField.Connection), Is.EqualTo(2));
        Assert.That(fields.IndexOf(KnownField.Upgrade), Is.EqualTo(-1));
        Assert.That(fields.IndexOf(KnownField.Connection, 3), Is.EqualTo(4));
        Assert.That(fields.IndexOf(KnownField.Connection, 5), Is.EqualTo(-1));
        Assert.That(fields.IndexOf(KnownField.Upgrade, 0), Is.EqualTo(-1));
        Assert.That(fields.Known(4), Is.EqualTo(KnownField.Connection));
        Assert.That(HttpText.Text(fields.First(KnownField.Connection)), Is.EqualTo("x, Close"));
        Assert.That(fields.First(KnownField.Upgrade).Length, Is.Zero);
    }

    [TestCase("x", ExpectedResult = true)]
    [TestCase("close", ExpectedResult = true)]
    [TestCase("y", ExpectedResult = true)]
    [TestCase("", ExpectedResult = false)]
    [TestCase("clos", ExpectedResult = false)]
    [TestCase("trailers", ExpectedResult = false, TestName = "of another field")]
    public bool A_list_goes_over_all_lines_of_its_field(string token)
        => Fields().ListContains(KnownField.Connection, HttpText.Bytes(token));

    [Test]
    public void Lines_that_follow_each_other_are_one_range()
    {
        var fields = Fields();

        Assert.That(HttpText.Text(fields.Lines(0, 6)), Is.EqualTo(Lines));
        Assert.That(HttpText.Text(fields.Lines(1, 2)), Is.EqualTo("A: 1\r\nConnection: x, Close\r\n"));
        Assert.That(HttpText.Text(fields.Line(5)), Is.EqualTo("TE: trailers\r\n"));
        Assert.That(fields.Lines(6, 0).Length, Is.Zero);
    }

    [Test]
    public void A_dropped_line_is_marked_until_other_bytes_are_taken()
    {
        var head = HttpText.Request($"GET / HTTP/1.1\r\n{Lines}\r\n");
        head.Fields.Drop(2);
        Assert.That(Dropped(head.Fields), Is.EqualTo(new[] { 2 }));
        Assert.That(head.Fields.Has(KnownField.Connection), Is.True);

        head.Fields.KeepAll();
        Assert.That(Dropped(head.Fields), Is.Empty);

        head.Fields.Drop(0);
        head.Take(HeadFeed.Sequence(HttpText.Bytes($"GET / HTTP/1.1\r\n{Lines}\r\n")));
        Assert.That(HeadParser.TryParseRequest(head, HeadFeed.DefaultLimits, out _), Is.True);
        Assert.That(head.Fields.Count, Is.EqualTo(6));
        Assert.That(Dropped(head.Fields), Is.Empty);
    }

    [Test]
    public void Every_known_field_is_recognised_in_any_case_and_nothing_else_is()
    {
        Assert.That(KnownFields.Count, Is.EqualTo(Enum.GetValues<KnownField>().Length).And.LessThanOrEqualTo(64));

        foreach (var field in Enum.GetValues<KnownField>().Skip(1))
        {
            var name = HttpText.Text(KnownFields.NameOf(field));
            Assert.That(name.Replace("-", "", StringComparison.Ordinal), Is.EqualTo(field.ToString()).IgnoreCase);
            Assert.That(KnownFields.Of(HttpText.Bytes(name)), Is.EqualTo(field));
            Assert.That(KnownFields.Of(HttpText.Bytes(name.ToLowerInvariant())), Is.EqualTo(field));
            Assert.That(KnownFields.Of(HttpText.Bytes(name.ToUpperInvariant())), Is.EqualTo(field));
            Assert.That(KnownFields.Of(HttpText.Bytes(name + "x")), Is.EqualTo(KnownField.None));
            Assert.That(KnownFields.Of(HttpText.Bytes(name[..1] + "\u00E4" + name[2..])), Is.EqualTo(KnownField.None));
        }

        Assert.That(KnownFields.Of([]), Is.EqualTo(KnownField.None));
    }

    [TestCase("Content_Length", ExpectedResult = KnownField.ContentLength)]
    [TestCase("x_forwarded-for", ExpectedResult = KnownField.XForwardedFor)]
    [TestCase("X_FORWARDED_FOR", ExpectedResult = KnownField.XForwardedFor)]
    [TestCase("Content-Length", ExpectedResult = KnownField.None, TestName = "not disguised")]
    [TestCase("Content__Length", ExpectedResult = KnownField.None)]
    [TestCase("x_y", ExpectedResult = KnownField.None)]
    [TestCase("", ExpectedResult = KnownField.None, TestName = "empty")]
    [TestCase("a_name_that_is_longer_than_any_known_one", ExpectedResult = KnownField.None)]
    public KnownField A_name_is_seen_through_its_underscores(string name)
        => KnownFields.OfDisguised(HttpText.Bytes(name));

    private static Fields Fields() => HttpText.Request($"GET / HTTP/1.1\r\n{Lines}\r\n").Fields;

    private static int[] Dropped(Fields fields)
        => [.. Enumerable.Range(0, fields.Count).Where(index => fields.IsDropped(index))];
}
