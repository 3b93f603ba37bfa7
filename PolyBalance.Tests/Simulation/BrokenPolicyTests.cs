using System.Collections.Immutable;
using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Topology;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Simulation;

/// <summary>A simulation that finds nothing may be blind: each rule has a policy that breaks it.</summary>
internal sealed class BrokenPolicyTests
{
    private const int SchedulesMax = 1_000;

    private static readonly (Rule Rule, Policies Broken)[] Cases =
    [
        (Rule.EligibleAreRight, new KeepsTheFirstSnapshot()),
        (Rule.WorldIsNew, new MissesNews()),
        (Rule.PicksAreEligible, new PicksIneligible()),
        (Rule.PicksAreEligible, new ForgetsWhoWasTried()),
        (Rule.BackupsStandBy, new PrefersBackups()),
        (Rule.CountsAgree, new LosesReports()),
        (Rule.ConnectionsMax, new AlwaysFindsRoom()),
        (Rule.TrialsOneAtATime, new Unprotected(ServiceStage.OnTrial)),
        (Rule.SlowStartShare, new Unprotected(ServiceStage.InService)),
        (Rule.RefusedForAReason, new RefusesSome()),
        (Rule.RetryBudget, new UnboundedBudget()),
        (Rule.AttemptsMax, new TriesEverybody()),
        (Rule.UnsafeOnce, new RepeatsEverything()),
        (Rule.HalfStays, new EjectsWithoutCap()),
        (Rule.LastStays, new EjectsTheLast()),
        (Rule.EjectedForAReason, new EjectsForNothing()),
        (Rule.ReturnsAreEarned, new ReturnsAtOnce()),
        (Rule.OneAnswer, new ForgetsWhoWaited()),
        (Rule.CountsAgree, new KeepsPlacesOfThoseWhoLeft()),
        (Rule.PlacesAreUsed, new TellsNobodyOfRoom()),
        (Rule.SomebodyIsLeft, new WaitsForAnybody()),
        (Rule.WaitsAreShort, new WaitsForever()),
        (Rule.QueueSize, new LetsEverybodyWait()),
        (Rule.FullForAReason, new IsFullTooSoon()),
        (Rule.WaitsEndForAReason, new TakesSomeForGone()),
        (Rule.LeavesAtOnce, new ForgetsWhoLeft()),
        (Rule.ArrivalOrder, new Overtakes()),
    ];

    private static IEnumerable<TestCaseData> Named()
        => Cases.Select(broken => new TestCaseData(broken.Rule, broken.Broken)
            .SetArgDisplayNames(broken.Rule.ToString(), broken.Broken.GetType().Name));

    [TestCaseSource(nameof(Named))]
    public void A_broken_policy_is_caught(Rule rule, object broken)
    {
        // It may break other rules as well, and in other schedules first.
        var found = default(Violation);
        for (var seed = 1; seed <= SchedulesMax && found?.Rule != rule; seed++)
            found = ViolationOf(seed, (Policies)broken);

        TestContext.Out.WriteLine(found?.Message);
        Assert.That(found?.Rule, Is.EqualTo(rule));
        Assert.That(found!.Message, Does.Contain(SimulationTests.SeedVariable));
    }

    [Test]
    public void Every_rule_can_be_broken()
        => Assert.That(Cases.Select(broken => broken.Rule).Distinct(), Is.EquivalentTo(Enum.GetValues<Rule>()));

    private static Violation? ViolationOf(int seed, Policies policies)
    {
        try
        {
            SimulatedGateway.Run(seed, policies);
            return null;
        }
        catch (Violation violation)
        {
            return violation;
        }
    }

    private sealed class KeepsTheFirstSnapshot : Policies
    {
        public override Snapshot Refresh(Snapshot previous)
        {
            SnapshotBuilder.Refresh(previous);
            return previous;
        }
    }

    private sealed class MissesNews : Policies
    {
        public override bool HearsNews() => false;
    }

    private sealed class PicksIneligible : Policies
    {
        public override Backend? Choose(SimulatedExchange exchange, long now, ulong draw, out Admission admission)
        {
            foreach (var backend in exchange.Cluster.Backends)
            {
                var isEligible = exchange.Cluster.Candidates.Any(candidate => candidate.Backend == backend);
                if (!isEligible && backend.TryBegin(isLastResort: true, out admission))
                    return backend;
            }

            return base.Choose(exchange, now, draw, out admission);
        }
    }

    private sealed class PrefersBackups : Policies
    {
        public override Backend? Choose(SimulatedExchange exchange, long now, ulong draw, out Admission admission)
        {
            admission = default;
            return exchange.Cluster.Placement.Backups?.Find(new(exchange.Key, now, draw, exchange.Tried), out admission)
                ?? base.Choose(exchange, now, draw, out admission);
        }
    }

    private sealed class ForgetsWhoWasTried : Policies
    {
        public override Backend? Choose(SimulatedExchange exchange, long now, ulong draw, out Admission admission)
            => exchange.Cluster.Placement.Find(new(exchange.Key, now, draw, []), out admission);
    }

    private sealed class LosesReports : Policies
    {
        private int _reports;

        public override void Report(Backend backend, Admission admission, in AttemptOutcome outcome)
        {
            if (++_reports % 50 != 0)
                base.Report(backend, admission, outcome);
        }
    }

    private sealed class AlwaysFindsRoom : Policies
    {
        public override Backend? Choose(SimulatedExchange exchange, long now, ulong draw, out Admission admission)
            => base.Choose(exchange, now, draw, out admission)
                ?? exchange.Cluster.Eligible.Select(candidate => candidate.Backend)
                    .FirstOrDefault(backend => backend.IsAtMax && !exchange.HasTried(backend));
    }

    private sealed class Unprotected(ServiceStage stage) : Policies
    {
        public override Snapshot Refresh(Snapshot previous)
        {
            var next = base.Refresh(previous);
            foreach (var backend in next.Backends())
            {
                if (backend.Passive.Stage == stage)
                    backend.Protect(exchangesMax: 0, connectsMax: 1);
            }

            return next;
        }
    }

    private sealed class RefusesSome : Policies
    {
        private int _choices;

        public override Backend? Choose(SimulatedExchange exchange, long now, ulong draw, out Admission admission)
        {
            admission = default;
            return ++_choices % 50 == 0 ? null : base.Choose(exchange, now, draw, out admission);
        }
    }

    private sealed class UnboundedBudget : Policies
    {
        public override bool MayTry(SimulatedExchange exchange, long now)
            => exchange.Tries == 0
                || (exchange.Tries < exchange.Cluster.AttemptsMax
                    && exchange.Tried.Length < exchange.Cluster.Candidates.Length);
    }

    private sealed class TriesEverybody : Policies
    {
        public override bool MayTry(SimulatedExchange exchange, long now)
            => exchange.Tries == 0 || exchange.Tried.Length < exchange.Cluster.Candidates.Length;
    }

    private sealed class RepeatsEverything : Policies
    {
        public override bool MayRepeat(SimulatedExchange exchange)
            => exchange.Facts().CanRefuse && Failure.Of(exchange.Failure).Retry != RetryRule.Never;
    }

    private sealed class EjectsWithoutCap : Policies
    {
        public override Snapshot Refresh(Snapshot previous)
        {
            foreach (var backend in previous.Backends())
            {
                if (backend.Passive is { Stage: ServiceStage.InService, Rules: not null, Cause: not null })
                    backend.Passive.Eject(backend.Now);
            }

            return base.Refresh(previous);
        }
    }

    private sealed class EjectsTheLast : Policies
    {
        public override Snapshot Refresh(Snapshot previous)
        {
            var next = base.Refresh(previous);
            var eligible = next.Clusters[0].Eligible;
            if (eligible.Length == 1 && next.Clusters[0].Backends.Length > 1
                && eligible[0].Backend.Passive is { Stage: ServiceStage.InService, Rules: not null } passive)
            {
                passive.Eject(eligible[0].Backend.Now);
            }

            return next;
        }
    }

    private sealed class EjectsForNothing : Policies
    {
        public override Snapshot Refresh(Snapshot previous)
        {
            var backends = previous.Clusters[0].Backends;
            if (backends.Length > 1 && backends.All(IsServing))
                backends[0].Passive.Eject(backends[0].Now);
            return base.Refresh(previous);
        }

        private static bool IsServing(Backend backend)
            => backend is { Verdict: Verdict.Healthy, Passive: { Stage: ServiceStage.InService, Rules: not null } };
    }

    private sealed class ReturnsAtOnce : Policies
    {
        public override Snapshot Refresh(Snapshot previous)
        {
            foreach (var backend in previous.Backends())
            {
                if (backend.Passive is { Stage: ServiceStage.OnTrial, HasPassed: false })
                    backend.Passive.Return(backend.Now);
            }

            return base.Refresh(previous);
        }
    }

    private sealed class ForgetsWhoWaited : Policies
    {
        public override void Answer(SimulatedExchange exchange)
        {
            if (exchange.Queued is null)
                base.Answer(exchange);
        }
    }

    private sealed class KeepsPlacesOfThoseWhoLeft : Policies
    {
        public override void Withdraw(Backend backend, Admission admission)
        {
        }
    }

    private sealed class TellsNobodyOfRoom : Policies
    {
        public override void Report(Backend backend, Admission admission, in AttemptOutcome outcome)
        {
            backend.Configure(backend.Passive.Rules?.Options, backend.SpanOf(backend.SlowStart.Duration));
            base.Report(backend, admission, outcome);
        }
    }

    private sealed class WaitsForAnybody : Policies
    {
        public override Snapshot Refresh(Snapshot previous)
        {
            var next = base.Refresh(previous);
            var cluster = next.Clusters[0];
            ImmutableArray<Candidate> all = [.. cluster.Backends.Select(backend => new Candidate(backend, 1))];
            cluster.Queue.Follow(new(all, cluster.Selector, cluster.Queue.IsOpen));
            return next;
        }
    }

    private sealed class WaitsForever : Policies
    {
        public override void Join(SimulatedExchange exchange, long deadline)
            => base.Join(exchange, Heartbeat.Unbounded);
    }

    private sealed class LetsEverybodyWait : Policies
    {
        public override void Join(SimulatedExchange exchange, long deadline)
        {
            var queue = exchange.Cluster.Queue;
            queue.Configure(int.MaxValue, queue.Timeout);
            base.Join(exchange, deadline);
        }
    }

    private sealed class IsFullTooSoon : Policies
    {
        public override void Join(SimulatedExchange exchange, long deadline)
        {
            var queue = exchange.Cluster.Queue;
            queue.Configure(requestsMax: 1, queue.Timeout);
            base.Join(exchange, deadline);
        }
    }

    private sealed class TakesSomeForGone : Policies
    {
        private int _waits;

        public override void Join(SimulatedExchange exchange, long deadline)
        {
            base.Join(exchange, deadline);
            if (++_waits % 20 == 0)
                exchange.Queued!.Leave();
        }
    }

    private sealed class ForgetsWhoLeft : Policies
    {
        public override void Leave(SimulatedExchange exchange)
        {
        }
    }

    private sealed class Overtakes : Policies
    {
        private SimulatedExchange? _latest;

        public override void Join(SimulatedExchange exchange, long deadline)
        {
            base.Join(exchange, deadline);
            if (_latest is { Queued.IsListed: true, Tried.IsEmpty: true } other
                && exchange is { Queued.IsListed: true, Tried.IsEmpty: true })
            {
                (exchange.Queued, other.Queued) = (other.Queued, exchange.Queued);
                exchange.Queued.SetDeadline(exchange.WaitsUntil);
                other.Queued.SetDeadline(other.WaitsUntil);
            }

            _latest = exchange;
        }
    }
}
