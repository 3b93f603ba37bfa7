using System.Runtime.CompilerServices;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Telemetry;
using PolyBalance.Topology;

namespace PolyBalance.Proxy;

/// <summary>
/// The request path. Everything that PolyBalance does to a request starts in <see cref="HandleAsync"/>.
/// </summary>
internal sealed class ProxyHandler(SnapshotStore store, Attempt attempt, GatewayMetrics metrics) : IExchangeHandler
{
    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PooledMethodBuilder<>))]
    public async ValueTask<FailureKind> HandleAsync(Exchange exchange)
    {
        // :: 6 observe the world
        var snapshot = store.Current;

        // :: 7 admit and route
        exchange.Phase = ExchangePhase.Select;
        if (snapshot.Routes.Match(exchange.Request) is not { Cluster: var cluster } route)
            return await LocalResponse.RefuseAsync(exchange, FailureKind.NoRoute);

        exchange.Route = route;
        if (exchange.RequestFraming.Length > route.BodyBytesMax)
            return await LocalResponse.RefuseAsync(exchange, FailureKind.ContentTooLarge);

        Prepare(exchange, route);
        if (LocalResponse.IsLastHop(exchange.Request))
            return await LocalResponse.AnswerLastHopAsync(exchange);

        var failure = FailureKind.NoEligibleBackend;
        var tries = 0;
        var backend = default(Backend);
        var mustBeFresh = false;
        var admission = default(Admission);
        do
        {
            // :: 8 select
            if (!mustBeFresh || !backend!.TryBegin(isLastResort: true, out admission))
            {
                mustBeFresh = false;
                var latest = failure;
                (backend, admission, failure) = await ChooseAsync(exchange, cluster, tries++, latest);
                if (backend is null)
                    break;
                if (tries > 1)
                    metrics.Retries.Add((int)latest);
                exchange.BeginAttempt(backend);
            }
            else
            {
                cluster.RetryBudget.NoteResend();
                metrics.Stale.Add((int)StaleAction.Resent);
            }

            var started = exchange.Client.Heartbeat.Now;
            exchange.Trace?.BeginAttempt(exchange, backend, started);
            failure = FailureKind.InternalError;
            try
            {
                failure = await attempt.RunAsync(exchange, cluster, backend, mustBeFresh, started);
            }
            finally
            {
                backend.Report(admission, exchange.EndAttempt(backend, failure, started));
            }

            // A stale connection says nothing about the backend: once more, on a fresh one, and not counted as a try.
            mustBeFresh = failure == FailureKind.StaleConnection;
        }
        while (failure != FailureKind.None && MayRepeat(exchange, failure));

        if (failure == FailureKind.StaleConnection)
            metrics.Stale.Add((int)StaleAction.Failed);

        exchange.Upload.Release();
        return failure == FailureKind.None
            ? failure
            : await LocalResponse.RefuseAsync(exchange, failure);
    }

    // A backend that has room now, or the next one that has; else why the exchange ends.
    private static ValueTask<Choice> ChooseAsync(Exchange exchange, Cluster cluster, int tries, FailureKind latest)
    {
        if (exchange.Next.Backend is not null)
            return new(exchange.TakeNext());

        if (!RetryPolicy.MayTry(cluster, tries, exchange.Tried, exchange.Client.Heartbeat.Now))
            return new(Choice.None(latest));

        var queue = cluster.Queue;
        var home = Session.HomeOf(exchange);
        if (home is not null && home.TryResume(out var resumed))
            return new(new Choice(home, resumed, FailureKind.None));

        // A session waits for its own backend, unless that is busy with nothing but its trial.
        if (home is { IsProtected: false } && queue.IsOpen)
            return WaitAsync(exchange, queue, latest, home);

        if (cluster.FindNow(exchange.DrawContext(), out var admission) is { } backend)
            return new(new Choice(backend, admission, FailureKind.None));

        if (queue.IsOpen && !cluster.Eligible.IsEmpty)
            return WaitAsync(exchange, queue, latest, home: null);

        // After retries the last attempt decides.
        var isBusy = tries == 0 && !cluster.Eligible.IsEmpty;
        return new(Choice.None(isBusy ? FailureKind.PoolExhausted : latest));
    }

    [AsyncMethodBuilder(typeof(PooledMethodBuilder<>))]
    private static async ValueTask<Choice> WaitAsync(
        Exchange exchange, RequestQueue queue, FailureKind latest, Backend? home)
    {
        var (client, heartbeat) = (exchange.Client, exchange.Client.Heartbeat);
        var phase = exchange.Phase;
        exchange.Phase = ExchangePhase.Select;
        var deadline = exchange.Bound(heartbeat.Now + queue.Timeout);
        var request = new QueuedRequest(queue, heartbeat)
        {
            Home = home,
            Key = exchange.AffinityKey,
            Tried = exchange.TriedMemory,
        };
        var choice = Choice.None(FailureKind.ClientClosed);
        if (client.TryWait(request))
        {
            queue.Join(request, deadline);
            exchange.BeginWait(WaitKind.Queue);
            choice = await request.EndAsync();
            exchange.EndWait();
            if (!client.TryEndWait(request))
            {
                // It has left, perhaps just when its turn came.
                choice.Withdraw();
                choice = Choice.None(FailureKind.ClientClosed);
            }
        }

        request.Release();
        return choice.Failure switch
        {
            FailureKind.None => choice,
            FailureKind.ClientClosed => Choice.None(exchange.LoseClient()),
            _ when exchange.Attempts > 0 => GiveUp(exchange, latest, phase),
            FailureKind.QueueTimedOut when deadline == exchange.Deadline => Choice.None(FailureKind.RequestTimedOut),
            _ => choice,
        };
    }

    // After retries the last attempt decides, and so does where that one ended.
    private static Choice GiveUp(Exchange exchange, FailureKind latest, ExchangePhase phase)
    {
        exchange.Phase = phase;
        return Choice.None(latest);
    }

    private static void Prepare(Exchange exchange, Route route)
    {
        var cluster = route.Cluster;
        var heartbeat = exchange.Client.Heartbeat;
        if (cluster.Options.Timeouts.Request is { } total)
            exchange.Deadline = exchange.Started + heartbeat.Ticks(total);

        if (cluster.Affinity is { } affinity)
            exchange.AffinityKey = KeyOf(exchange, affinity);

        if (cluster.Sticky is { } sticky)
            Session.Recognize(exchange, sticky);

        // Holding what was sent costs memory: only where another attempt could use it.
        var hold = exchange.IsRepeatable && cluster.AttemptsMax > 1 ? cluster.ReplayBytesMax : 0;
        exchange.Upload.Begin(
            exchange.Connection, exchange.Request, exchange.RequestFraming, route.BodyBytesMax, hold);
    }

    private static ulong KeyOf(Exchange exchange, AffinityKey affinity)
        => affinity.Of(exchange.Request) is not 0 and var key
            ? key
            : AffinityKey.OfClient(exchange.Client.BelievedAddress(exchange.Request));

    private static bool MayRepeat(Exchange exchange, FailureKind failure)
    {
        if (!RetryPolicy.Allows(exchange, failure))
            return false;

        exchange.Upload.Rewind();
        return true;
    }
}
