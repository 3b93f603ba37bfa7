using System.Runtime.CompilerServices;
using PolyBalance.Backends;
using PolyBalance.Topology;

namespace PolyBalance.Proxy;

/// <summary>
/// The request path. Everything that PolyBalance does to a request starts in <see cref="HandleAsync"/>.
/// </summary>
internal sealed class ProxyHandler(SnapshotStore store, Attempt attempt) : IExchangeHandler
{
    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PooledMethodBuilder<>))]
    public async ValueTask<FailureKind> HandleAsync(Exchange exchange)
    {
        // :: 6 observe the world
        var snapshot = store.Current;

        // :: 7 admit and route
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
        do
        {
            // :: 8 select
            if (!mustBeFresh)
            {
                backend = tries++ < cluster.AttemptsMax ? Pick(exchange, cluster) : null;
                if (backend is null)
                    break;
                exchange.BeginAttempt(backend);
            }

            backend!.Begin();
            var started = exchange.Client.Heartbeat.Now;
            failure = FailureKind.InternalError;
            try
            {
                failure = await attempt.RunAsync(exchange, cluster, backend, mustBeFresh, started);
            }
            finally
            {
                backend.Report(exchange.EndAttempt(backend, failure, started));
            }

            // A stale connection says nothing about the backend: once more, on a fresh one, and not counted as a try.
            mustBeFresh = failure == FailureKind.StaleConnection;
        }
        while (failure != FailureKind.None && MayRepeat(exchange, failure));

        exchange.Upload.Release();
        return failure == FailureKind.None
            ? failure
            : await LocalResponse.RefuseAsync(exchange, failure);
    }

    private static Backend? Pick(Exchange exchange, Cluster cluster)
        => cluster.Selector.Pick(new(key: 0, exchange.Client.Heartbeat.Now, exchange.Tried));

    private static void Prepare(Exchange exchange, Route route)
    {
        var cluster = route.Cluster;
        var heartbeat = exchange.Client.Heartbeat;
        if (cluster.Options.Timeouts.Request is { } total)
            exchange.Deadline = exchange.Started + heartbeat.Ticks(total);

        // Holding what was sent costs memory: only where another attempt could use it.
        var hold = exchange.IsRepeatable && cluster.AttemptsMax > 1 ? cluster.ReplayBytesMax : 0;
        exchange.Upload.Begin(
            exchange.Connection, exchange.Request, exchange.RequestFraming, route.BodyBytesMax, hold);
    }

    private static bool MayRepeat(Exchange exchange, FailureKind failure)
    {
        if (!RetryPolicy.Allows(exchange, failure))
            return false;

        exchange.Upload.Rewind();
        return true;
    }
}
