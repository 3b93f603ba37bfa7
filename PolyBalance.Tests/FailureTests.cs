using NUnit.Framework;

namespace PolyBalance.Tests;

internal sealed class FailureTests
{
    [Test]
    public void Every_kind_has_its_row_in_order()
    {
        var kinds = Enum.GetValues<FailureKind>();

        Assert.That(Failure.All.ToArray().Select(row => row.Kind), Is.EqualTo(kinds));
        foreach (var kind in kinds)
            Assert.That(Failure.Of(kind).Kind, Is.EqualTo(kind));
    }

    [Test]
    public void Labels_are_unique_and_fit_a_metric()
    {
        var labels = Failure.All[1..].ToArray().Select(row => row.Label).ToList();

        Assert.That(labels, Is.Unique);
        Assert.That(labels, Is.All.Match("^[a-z]+(_[a-z]+)*$"));
        Assert.That(Failure.Of(FailureKind.None).Label, Is.Empty);
    }

    [Test]
    public void Every_failure_is_an_error_status_and_a_sentence()
    {
        foreach (var row in Failure.All[1..])
        {
            Assert.That(row.Status, Is.InRange(400, 599), row.Label);
            Assert.That(row.Sentence, Does.Match("^[A-Z].*[^. ]$"), row.Label);
        }
    }

    [Test]
    public void Only_what_a_backend_or_the_lack_of_one_caused_can_be_tried_again()
    {
        foreach (var row in Failure.All)
        {
            if (row.Side == Side.Client)
            {
                Assert.That(row.Retry, Is.EqualTo(RetryRule.Never), row.Label);
                Assert.That(row.Status is < 500 or 501 or 505, Is.True, row.Label);
            }

            if (row.Retry == RetryRule.Always)
                Assert.That(row.Label, Does.StartWith("connect_").Or.EndWith("_exhausted"));
        }
    }

    [TestCase(FailureKind.ConnectRefused, 502)]
    [TestCase(FailureKind.MalformedResponse, 502)]
    [TestCase(FailureKind.ResponseTruncated, 502)]
    [TestCase(FailureKind.ResponseTimedOut, 504)]
    [TestCase(FailureKind.NoEligibleBackend, 503)]
    [TestCase(FailureKind.PoolExhausted, 503)]
    [TestCase(FailureKind.FilesExhausted, 503)]
    [TestCase(FailureKind.NoRoute, 404)]
    [TestCase(FailureKind.ClientClosed, 499)]
    [TestCase(FailureKind.HeadTooLarge, 431)]
    [TestCase(FailureKind.TargetTooLong, 414)]
    [TestCase(FailureKind.ContentTooLarge, 413)]
    public void The_promised_statuses_are_kept(FailureKind kind, int status)
        => Assert.That(Failure.Of(kind).Status, Is.EqualTo(status));
}
