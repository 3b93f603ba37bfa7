using System.Collections.Immutable;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Configuration;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Simulation;

/// <summary>Knows what must be true of exchanges that wait for a place, by a list of its own.</summary>
/// <param name="oracle">Knows who has room.</param>
internal sealed class QueueOracle(Oracle oracle)
{
    // Who waits for longer than this is late; when the queue has not been empty for so long since, the order changes,
    // and after the longer time somebody may be refused early.
    private const long Late = 25 * TimeSpan.TicksPerMillisecond;
    private const long BurstMax = 50 * TimeSpan.TicksPerMillisecond;
    private const long LastingMin = TimeSpan.TicksPerSecond;

    // Deadlines are rounded when they are converted.
    private const long Rounding = TimeSpan.TicksPerMillisecond;

    private readonly List<SimulatedExchange> _waiting = [];     // in the order in which they have joined
    private SimulatedExchange? _joining;
    private bool _wasFull;
    private int _waitedBefore;
    private long _lateSince = long.MaxValue;

    /// <summary>How many may wait; whoever waits already may stay when there are to be fewer.</summary>
    private int RequestsMax => oracle.CanWait ? oracle.Options.Queue!.RequestsMax : 0;

    /// <summary>An exchange begins to wait, or is about to be refused.</summary>
    public void Join(SimulatedExchange exchange, long now)
    {
        ObserveLate(now);
        _joining = exchange;
        _wasFull = _waiting.Count >= RequestsMax;
        exchange.IsWaiting = true;
        exchange.WaitEnd = null;
        exchange.WaitsSince = now;
        exchange.WaitsUntil = now + oracle.Options.Queue!.Timeout.Ticks;
        _waiting.Add(exchange);
    }

    /// <summary>Looks at those whose wait is over, all at once: which of them came first is not known here.</summary>
    /// <param name="now">In heartbeat time.</param>
    public void Collect(long now)
    {
        ObserveLate(now);
        for (var index = 0; index < _waiting.Count; index++)
        {
            if (_waiting[index].WaitEnd is not null)
                CheckEnd(index, now);
        }

        foreach (var exchange in _waiting)
            exchange.IsWaiting = exchange.WaitEnd is null;
        _waiting.RemoveAll(exchange => !exchange.IsWaiting);
        _joining = null;
        ObserveLate(now);
    }

    /// <summary>Looks at those who wait: after every event.</summary>
    /// <param name="waiting">How many the product counts.</param>
    /// <param name="now">In heartbeat time.</param>
    public void Check(int waiting, long now)
    {
        Violation.Unless(
            waiting == _waiting.Count, Rule.CountsAgree, $"the queue counts {waiting}, {_waiting.Count} wait");
        Violation.Unless(
            waiting <= Math.Max(RequestsMax, _waitedBefore), Rule.QueueSize, $"{waiting} wait, not {RequestsMax}");
        _waitedBefore = waiting;

        var hasFirst = _waiting.Exists(exchange => exchange.Tried.IsEmpty);
        foreach (var exchange in _waiting)
        {
            Violation.Unless(
                !exchange.HasClientLeft, Rule.LeavesAtOnce, $"exchange {exchange.Number} waits, its client has left");
            Violation.Unless(
                now <= exchange.WaitsUntil + (2 * Heartbeat.Period.Ticks), Rule.WaitsAreShort,
                $"exchange {exchange.Number} waits too long");
            CheckPlaces(exchange, hasFirst);
        }
    }

    // While one who has tried nobody finds no place the queue looks no further: somebody else might have, at a backend
    // that the first one spares.
    private void CheckPlaces(SimulatedExchange exchange, bool hasFirst)
    {
        var max = oracle.Options.Pool.ConnectionsMax;
        var left = oracle.LeftFor(exchange, oracle.Eligible);
        Violation.Unless(
            left.Count > 0, Rule.SomebodyIsLeft, $"exchange {exchange.Number} waits, and has tried all");
        var free = left.Find(watched => watched.TakesNow(max));
        if (!(oracle.CanWait && left.Exists(watched => !watched.IsProtected(max)))
            && (exchange.Tried.IsEmpty || !hasFirst))
        {
            free ??= left.Find(watched => watched.HasRoom(max));
        }

        Violation.Unless(
            free is null, Rule.PlacesAreUsed, $"exchange {exchange.Number} waits, {free?.Known.Name} has room");
    }

    private void CheckEnd(int index, long now)
    {
        var exchange = _waiting[index];
        var (backend, _, failure) = exchange.WaitEnd!.Value;
        var isOver = now + Rounding >= exchange.WaitsUntil;
        switch (failure)
        {
            case FailureKind.None:
                CheckPlace(index, backend!, isOver, now);
                break;
            case FailureKind.QueueFull:
                Violation.Unless(
                    _wasFull && _joining is not null && (exchange == _joining || IsOverloaded(now)),
                    Rule.FullForAReason, $"exchange {exchange.Number} was refused, {_waiting.Count - 1} wait");
                break;
            case FailureKind.QueueTimedOut:
                Violation.Unless(
                    isOver || IsLasting(now), Rule.WaitsEndForAReason, $"exchange {exchange.Number} had time left");
                var roomy = oracle.LeftFor(exchange, oracle.Eligible)
                    .Find(watched => watched.HasRoom(oracle.Options.Pool.ConnectionsMax));
                Violation.Unless(
                    roomy is null, Rule.RefusedForAReason, $"it was refused although {roomy?.Known.Name} has room");
                break;
            default:
                var isRight = failure switch
                {
                    FailureKind.ClientClosed => exchange.HasClientLeft,
                    FailureKind.NoEligibleBackend => oracle.LeftFor(exchange, oracle.Eligible).Count == 0,
                    _ => false,
                };
                Violation.Unless(
                    isRight, Rule.WaitsEndForAReason, $"the wait of exchange {exchange.Number} ended with {failure}");
                break;
        }
    }

    private void CheckPlace(int index, Backend backend, bool isOver, long now)
    {
        var exchange = _waiting[index];

        // Another one that has got a place there just now may be the one that can wait for nobody else.
        var isAlone = _waiting.Count(other => other.WaitEnd?.Backend == backend) == 1;
        var canWait = oracle.CanWait && !isOver && isAlone;
        oracle.CheckPlace(exchange, backend, oracle.Eligible, canWait, now);
        if (isOver || !exchange.Tried.IsEmpty || IsOverloaded(now))
            return;

        var passedOver = _waiting.FindIndex(other => other.WaitEnd is null && other.Tried.IsEmpty);
        Violation.Unless(
            passedOver < 0 || passedOver > index, Rule.ArrivalOrder,
            $"exchange {exchange.Number} has a place before {_waiting[Math.Max(0, passedOver)].Number}");
    }

    // The queue looks only now and then: it may see the change of its order later than it is seen here, not sooner.
    private bool IsOverloaded(long now) => _lateSince != long.MaxValue && now - _lateSince >= BurstMax;

    private bool IsLasting(long now) => _lateSince != long.MaxValue && now - _lateSince >= LastingMin;

    private void ObserveLate(long now)
    {
        if (_waiting.Count > 0 && now - _waiting[0].WaitsSince > Late)
            _lateSince = Math.Min(_lateSince, now);
        else if (_waiting.Count == 0)
            _lateSince = long.MaxValue;
    }
}
