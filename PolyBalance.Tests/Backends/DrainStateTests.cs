using NUnit.Framework;
using PolyBalance.Backends;

namespace PolyBalance.Tests.Backends;

internal sealed class DrainStateTests
{
    [Test]
    public void It_lasts_until_nobody_wants_it_any_more()
    {
        var drain = new DrainState();

        Assert.That((drain.TryBegin(DrainCauses.Operator), drain.TryBegin(DrainCauses.Operator)),
            Is.EqualTo((true, false)));
        Assert.That((drain.TryBegin(DrainCauses.Probe), drain.IsOrdered), Is.EqualTo((true, true)));
        Assert.That((drain.TryEnd(DrainCauses.Operator), drain.IsDraining, drain.IsOrdered),
            Is.EqualTo((false, true, false)));
        Assert.That((drain.TryEnd(DrainCauses.Probe), drain.IsDraining), Is.EqualTo((true, false)));
    }

    [Test]
    public void What_a_response_wants_holds_for_a_while_after_the_latest_one()
    {
        var drain = new DrainState();

        Assert.That(drain.IsResponseOver(long.MaxValue), Is.False, "none has asked for it");
        Assert.That((drain.TryBeginByResponse(until: 10), drain.TryBeginByResponse(until: 20)),
            Is.EqualTo((true, false)));

        Assert.That((drain.IsResponseOver(19), drain.IsResponseOver(20)), Is.EqualTo((false, true)));
    }
}
