using PolyBalance.Backends;
using PolyBalance.Transport;

namespace PolyBalance.Balancing;

/// <summary>
/// Requests of one cluster that wait for a place while every eligible backend has as many exchanges as it may have.
/// </summary>
/// <remarks>
/// Any thread. As long as nobody waits, an exchange that ends looks at one number here; the lock is for saturation.
/// Whoever gives a place back finds a backend for the one who waits, so that nobody who comes by can take it first.
/// No wake-up is lost: who gives a place back does so and then looks whether somebody waits; who joins is counted and
/// then looks for a place. Each of the two sees the other if it comes second.
/// Lives as long as the name of its cluster is configured: who waits is placed by the snapshot of the day.
/// See decisions/0035-who-waits-longest-is-not-always-first.md.
/// </remarks>
internal sealed class RequestQueue
{
    private static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(10);

    private readonly Heartbeat _heartbeat;
    private readonly Random _random;
    private readonly Lock _gate = new();        // guards what follows, up to _waiting
    private Placement _placement = Placement.Nowhere;
    private QueuedRequest? _oldest;
    private QueuedRequest? _newest;
    private Congestion _congestion;
    private int _waiting;
    private volatile int _requestsMax;
    private long _timeout;
    private long _refusals;
    private long _told;                 // who tells the log, as is _silentUntil
    private long _silentUntil = long.MinValue;

    /// <summary>Makes a queue in which nobody may wait yet.</summary>
    /// <param name="heartbeat">The clock.</param>
    /// <param name="random">What selectors get to draw from.</param>
    public RequestQueue(Heartbeat heartbeat, Random random)
    {
        _heartbeat = heartbeat;
        _random = random;
        _congestion = new(heartbeat.Ticks(TimeSpan.FromSeconds(1)));
    }

    /// <summary>Whether requests of this cluster may wait.</summary>
    public bool IsOpen => _requestsMax > 0;

    /// <summary>How long one may wait. Unit: heartbeat ticks.</summary>
    public long Timeout => Volatile.Read(ref _timeout);

    /// <summary>Requests that wait.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Requests that found no place in time, or no room to wait, ever.</summary>
    public long Refusals => Interlocked.Read(ref _refusals);

    /// <summary>
    /// Whether the log should say that requests were refused: at most once in ten seconds. One thread.
    /// </summary>
    /// <param name="refusals">How many since it was said last.</param>
    public bool TryTell(out long refusals)
    {
        var now = _heartbeat.Now;
        refusals = Refusals - _told;
        if (refusals == 0 || now < _silentUntil)
            return false;

        _told += refusals;
        _silentUntil = now + _heartbeat.Ticks(TellEvery);
        return true;
    }

    /// <summary>Takes up what a reload may have changed. Those who wait stay. Store's loop.</summary>
    /// <param name="requestsMax">How many may wait; 0: nobody more.</param>
    /// <param name="timeout">How long, in heartbeat ticks.</param>
    public void Configure(int requestsMax, long timeout)
    {
        Volatile.Write(ref _timeout, timeout);
        _requestsMax = requestsMax;
    }

    /// <summary>Other backends are eligible, or in another way. Store's loop.</summary>
    public void Follow(Placement placement)
    {
        lock (_gate)
        {
            _placement = placement;
            for (var next = _oldest; next is { } request;)
            {
                next = request.Newer;
                if (HasTriedAll(request))
                    End(request, Choice.None(FailureKind.NoEligibleBackend));
            }

            Admit();
        }
    }

    /// <summary>There may be a place: somebody gave his back, or a bound was raised.</summary>
    public void OnRoom()
    {
        if (Volatile.Read(ref _waiting) == 0)
            return;

        lock (_gate)
            Admit();
    }

    /// <summary>Begins to wait. The wait may end before this returns.</summary>
    /// <param name="request">Who.</param>
    /// <param name="deadline">Until when, in heartbeat time.</param>
    public void Join(QueuedRequest request, long deadline)
    {
        lock (_gate)
        {
            if (request.HasLeft)
            {
                request.End(Choice.None(FailureKind.ClientClosed));
                return;
            }

            // Its snapshot may be older than what is eligible now.
            if (HasTriedAll(request))
            {
                request.End(Choice.None(FailureKind.NoEligibleBackend));
                return;
            }

            if (_waiting >= _requestsMax && !TryMakeRoom())
            {
                Refuse(request, FailureKind.QueueFull);
                return;
            }

            request.IsListed = true;
            request.Older = _newest;
            if (_newest is null)
                _oldest = request;
            else
                _newest.Newer = request;
            _newest = request;
            request.SetDeadline(deadline);
            Interlocked.Increment(ref _waiting);
            _congestion.NoteJoined();
            Admit();
        }
    }

    /// <summary>The client of a request has left.</summary>
    public void Leave(QueuedRequest request)
    {
        lock (_gate)
        {
            request.HasLeft = true;
            if (request.IsListed)
                End(request, Choice.None(FailureKind.ClientClosed));
        }
    }

    /// <summary>A request has waited for long enough. An error for certain is worse than a bound that yields.</summary>
    public void TimeOut(QueuedRequest request)
    {
        lock (_gate)
        {
            if (!request.IsListed)
                return;

            var now = _heartbeat.Now;
            if (_placement.FindAnywhere(ContextOf(request, now), out var admission) is { } backend)
            {
                End(request, new(backend, admission, FailureKind.None));
                return;
            }

            Remove(request);
            Refuse(request, FailureKind.QueueTimedOut);
        }
    }

    // Everything below: under the lock.

    private void Admit()
    {
        var now = _heartbeat.Now;
        while (TryAdmitOne(now))
            _congestion.NotePlaced();

        // Only now: a place that is there goes to somebody who is late rather than to nobody. Nobody is refused early
        // while a backend is spared that he would get at the end of his time.
        while (!_placement.SparesRoom && _oldest is { } oldest && now - oldest.Joined > _congestion.WaitMax)
        {
            Remove(oldest);
            Refuse(oldest, FailureKind.QueueTimedOut);
        }
    }

    // Who has tried nobody and keeps no session could go anywhere: when there is no place for him, there is none for
    // anybody. Only backups may have one for somebody else.
    private bool TryAdmitOne(long now)
    {
        Judge(now);
        var isNewestFirst = _congestion.IsNewestFirst;
        var next = isNewestFirst ? _newest : _oldest;
        for (var looked = 0; next is { } request && looked < Limits.PlacesLostMax; looked++)
        {
            if (Find(request, now, out var admission) is { } backend)
            {
                End(request, new(backend, admission, FailureKind.None));
                return true;
            }

            if (request.Tried.IsEmpty && request.Home is null && _placement.Backups is null)
                return false;
            next = isNewestFirst ? request.Older : request.Newer;
        }

        return false;
    }

    // Whoever keeps a session waits for nobody else, as long as its backend works.
    private Backend? Find(QueuedRequest request, long now, out Admission admission)
    {
        if (request.Home is not { KeepsSessions: true } home)
            return _placement.Find(ContextOf(request, now), out admission);

        return home.TryResume(out admission) ? home : null;
    }

    // Nobody is left whom it could wait for.
    private bool HasTriedAll(QueuedRequest request)
        => request.Home is not { KeepsSessions: true } && !_placement.HasOthersThan(request.Tried.Span);

    private SelectionContext ContextOf(QueuedRequest request, long now)
        => new(request.Key, now, (ulong)_random.NextInt64(), request.Tried.Span);

    private void Judge(long now)
    {
        if (_oldest is not null && _congestion.Observe(_oldest.Joined, now))
            _congestion.EndPeriod(_placement.InFlight, now);
    }

    // The oldest has the least to hope for then.
    private bool TryMakeRoom()
    {
        Judge(_heartbeat.Now);
        if (_oldest is not { } oldest || !_congestion.IsNewestFirst)
            return false;

        Remove(oldest);
        Refuse(oldest, FailureKind.QueueFull);
        return true;
    }

    private void Refuse(QueuedRequest request, FailureKind failure)
    {
        Interlocked.Increment(ref _refusals);
        request.End(Choice.None(failure));
    }

    private void End(QueuedRequest request, in Choice choice)
    {
        Remove(request);
        request.End(choice);
    }

    private void Remove(QueuedRequest request)
    {
        if (request.Older is null)
            _oldest = request.Newer;
        else
            request.Older.Newer = request.Newer;
        if (request.Newer is null)
            _newest = request.Older;
        else
            request.Newer.Older = request.Older;
        request.Older = request.Newer = null;
        request.IsListed = false;
        Interlocked.Decrement(ref _waiting);
        if (_oldest is null)
            _congestion.Clear();
    }
}
