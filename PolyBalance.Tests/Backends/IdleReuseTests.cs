using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Backends;

/// <summary>What a pool does with connections that have been idle for long.</summary>
[Inline]
internal sealed class IdleReuseTests
{
    private static readonly PoolOptions Patient = new() { IdleTimeout = TimeSpan.FromHours(1) };

    [Test]
    public async Task Near_the_age_at_which_the_backend_closes_connections_none_is_reused()
    {
        await using var rig = new PoolRig(Patient);
        await TeachAsync(rig, milliseconds: 2_000);

        rig.Pool.Return(await rig.AcquireAsync());
        Advance(rig, 1_700);
        var young = await rig.AcquireAsync();
        Assert.That(young.IsReused, Is.True);
        rig.Pool.Return(young);

        Advance(rig, 1_900);
        var fresh = await rig.AcquireAsync();
        Assert.That(
            (fresh.IsReused, rig.Pool.Open, rig.Pool.Idle), Is.EqualTo((false, 2, 1)), "one is left as a witness");
        rig.Pool.Return(fresh);
    }

    [Test]
    public async Task Of_the_connections_that_are_too_old_one_is_left_to_tell_when_the_backend_closes_it()
    {
        await using var rig = new PoolRig(Patient);
        await TeachAsync(rig, milliseconds: 200);

        (await rig.AcquireAsync(5)).ForEach(rig.Pool.Return);
        Advance(rig, 190);
        var fresh = await rig.AcquireAsync();
        Assert.That((fresh.IsReused, rig.Pool.Open, rig.Pool.Idle), Is.EqualTo((false, 2, 1)));

        // It outlives what was learned: the backend has changed its mind.
        Advance(rig, 2_500);
        Assert.That(rig.Pool.IdleLimit.Known, Is.Null);
        rig.Pool.Return(fresh);
        Advance(rig, 1_500);
        var again = await rig.AcquireAsync();
        Assert.That(again.IsReused, Is.True);
        rig.Pool.Return(again);
    }

    [Test]
    public async Task A_witness_makes_room_when_the_limit_is_reached()
    {
        await using var rig = new PoolRig(Patient with { ConnectionsMax = 1 });
        await TeachAsync(rig, milliseconds: 200);
        rig.Pool.Return(await rig.AcquireAsync());
        Advance(rig, 190);

        var fresh = await rig.AcquireAsync();

        Assert.That((fresh.IsReused, rig.Pool.Open, rig.Pool.Idle), Is.EqualTo((false, 1, 0)));
        rig.Pool.Return(fresh);
    }

    [Test]
    public async Task What_cannot_be_sent_twice_takes_no_connection_of_unknown_fate_and_leaves_it_to_others()
    {
        await using var rig = new PoolRig(Patient);
        rig.Pool.Return(await rig.AcquireAsync());
        Advance(rig, 4_100);

        var sure = await rig.AcquireAsync(mustBeSure: true);
        var other = await rig.AcquireAsync();

        Assert.That((sure.IsReused, other.IsReused, rig.Pool.Open), Is.EqualTo((false, true, 2)));
        rig.Pool.Return(sure);
        rig.Pool.Return(other);
    }

    [Test]
    public async Task Reuse_that_came_too_late_teaches_too()
    {
        await using var rig = new PoolRig(Patient);
        for (var round = 0; round < 2; round++)
        {
            rig.Pool.Return(await rig.AcquireAsync());
            Advance(rig, 1_000);
            var stale = await rig.AcquireAsync();
            Assert.That(stale.IsReused, Is.True);
            rig.Pool.ReportStale(stale);
            rig.Pool.Discard(stale, CloseReason.Aborted);
        }

        Assert.That(rig.Pool.IdleLimit.Known?.TotalSeconds, Is.EqualTo(1).Within(0.06));
    }

    [Test]
    public async Task A_retired_pool_closes_its_witness_too()
    {
        await using var rig = new PoolRig(Patient);
        await TeachAsync(rig, milliseconds: 200);
        rig.Pool.Return(await rig.AcquireAsync());
        Advance(rig, 190);
        rig.Pool.Discard(await rig.AcquireAsync(), CloseReason.Closed);
        Assert.That(rig.Pool.Open, Is.EqualTo(1));

        rig.Pool.Retire();

        Assert.That(rig.Pool.Open, Is.Zero);
    }

    // Twice the backend closes a connection that was idle for so long.
    private static async Task TeachAsync(PoolRig rig, int milliseconds)
    {
        for (var round = 0; round < 2; round++)
        {
            rig.Pool.Return(await rig.AcquireAsync(mustBeFresh: true));
            Advance(rig, milliseconds);
            rig.Accepted[^1].Close();
        }

        Assert.That(rig.Pool.IdleLimit.Known?.TotalMilliseconds, Is.EqualTo(milliseconds).Within(60));
        Assert.That(rig.Pool.Open, Is.Zero);
    }

    private static void Advance(PoolRig rig, int milliseconds)
        => rig.Clock.Advance(TimeSpan.FromMilliseconds(milliseconds));
}
