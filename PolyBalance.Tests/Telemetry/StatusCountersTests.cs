using NUnit.Framework;
using PolyBalance.Telemetry;

namespace PolyBalance.Tests.Telemetry;

internal sealed class StatusCountersTests
{
    [Test]
    public void Every_status_that_a_status_line_can_have_is_counted_by_itself()
    {
        var counters = new StatusCounters();
        for (var status = 0; status < 1000; status++)
        {
            for (var count = status % 3; count > 0; count--)
                counters.Add(status);
        }

        var expected = Enumerable.Range(0, 1000)
            .Where(status => status % 3 > 0)
            .Select(status => (status, (long)(status % 3)));
        Assert.That(counters.Counts(), Is.EqualTo(expected));
    }

    [Test]
    public void What_did_not_come_up_is_not_told()
        => Assert.That(new StatusCounters().Counts(), Is.Empty);
}
