using System.Text;
using NUnit.Framework;
using PolyBalance.Telemetry;

namespace PolyBalance.Tests.Telemetry;

internal sealed class SpanTargetTests
{
    [TestCase("/a/b%20c", "/a/b%20c", "")]
    [TestCase("/a?b=c?d", "/a", "b=c?d")]
    [TestCase("/a?", "/a", "")]
    [TestCase("*", "*", "")]
    [TestCase("", "", "")]
    [TestCase("http://h:1/a?b", "/a", "b")]
    [TestCase("http://h", "/", "")]
    [TestCase("http://h?q", "/", "q")]
    [TestCase("/go?to=http://h/x", "/go", "to=http://h/x")]
    [TestCase("/http://h/x", "/http://h/x", "")]
    public void A_target_has_a_path_and_a_query(string target, string path, string query)
        => Assert.That(SpanTarget.Of(Encoding.ASCII.GetBytes(target)), Is.EqualTo(new SpanTarget(path, query)));

    [TestCase("a=b&sig=secret&c=d", "a=b&sig=REDACTED&c=d")]
    [TestCase("Signature=a=b", "Signature=REDACTED")]
    [TestCase("X-Goog-Signature=&AWSAccessKeyId=k", "X-Goog-Signature=REDACTED&AWSAccessKeyId=REDACTED")]
    [TestCase("signed=yes&sig", "signed=yes&sig")]
    public void What_signs_a_request_stays_here(string query, string shown)
        => Assert.That(SpanTarget.Of(Encoding.ASCII.GetBytes("/?" + query)).Query, Is.EqualTo(shown));

    [Test]
    public void No_target_makes_a_span_large_and_bytes_that_are_no_text_are_no_trouble()
    {
        var bytes = new byte[8 * 1024];
        new Random(20261127).NextBytes(bytes);
        bytes[0] = (byte)'/';

        var target = SpanTarget.Of(bytes);

        Assert.That(target.Path.Length + target.Query.Length, Is.LessThanOrEqualTo(2 * 1024));
    }
}
