using PolyBalance.Http;
using PolyBalance.Transport;

namespace PolyBalance.Backends;

/// <summary>
/// How long a connection to one backend may have been idle and still be reused: what the backend says of it, and what
/// its closes teach.
/// </summary>
/// <remarks>
/// A backend closes connections that were idle for its own timeout, which it seldom tells. A request that meets the
/// close on its way is lost with the connection (RFC 9112 §9.3.1 calls it an asynchronous close). So nobody reuses a
/// connection that comes near the age at which others were closed. One close teaches nothing, because a restart closes
/// connections of any age; two of the same age at different times do. Connections older than the limit are left for the
/// backend to close (<see cref="ConnectionPool"/> keeps one as a witness), and so a limit that was learned by mistake,
/// or that the backend has raised, is unlearned.
/// Any thread. <see cref="Trusts"/> reads one number; observations take a lock and are as rare as closes.
/// </remarks>
internal sealed class IdleLimit
{
    private const int SamplesKept = 8;

    private static ReadOnlySpan<byte> Timeout => "timeout="u8;

    // Before anything is known: below the shortest timeouts in wide use, Node.js and uvicorn close after five seconds.
    private static readonly TimeSpan CautiousAge = TimeSpan.FromSeconds(4);

    // What a request needs to get there at least, scheduling on both sides included.
    private static readonly TimeSpan MarginMin = TimeSpan.FromMilliseconds(25);

    // A busy backend may close late: what is that late was never going to be closed.
    private static readonly TimeSpan DoubtAge = TimeSpan.FromSeconds(1);

    // Closes within so short a time have one cause: a restart, or one timeout that ran out for many at once.
    private static readonly TimeSpan SameMoment = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();        // guards the samples and what follows from them
    private readonly Queue<Sample> _samples = new(SamplesKept);
    private readonly Heartbeat _heartbeat;
    private readonly long _marginMin;
    private readonly long _sameMoment;
    private readonly long _cautiousAge;
    private readonly long _doubtAge;
    private long _learned = Heartbeat.Never;
    private long _promised = Heartbeat.Never;
    private long _usable = Heartbeat.Never;
    private long _usableOnce;

    /// <summary>Knows nothing yet.</summary>
    public IdleLimit(Heartbeat heartbeat)
    {
        _heartbeat = heartbeat;
        _marginMin = heartbeat.Ticks(MarginMin);
        _doubtAge = heartbeat.Ticks(DoubtAge);
        _sameMoment = heartbeat.Ticks(SameMoment);
        _usableOnce = _cautiousAge = heartbeat.Ticks(CautiousAge);
    }

    /// <summary>
    /// The age at which the backend closes idle connections, as far as is known; null: nothing is. For operators.
    /// </summary>
    public TimeSpan? Known
    {
        get
        {
            lock (_gate)
            {
                var known = Math.Min(_learned, _promised);
                return known == Heartbeat.Never ? null : _heartbeat.Span(known);
            }
        }
    }

    /// <summary>The age that its closes have taught; null: none has.</summary>
    public TimeSpan? Learned => SpanOf(Volatile.Read(ref _learned));

    /// <summary>The age that it has promised; null: none.</summary>
    public TimeSpan? Promised => SpanOf(Volatile.Read(ref _promised));

    /// <summary>Begins with what another process has known.</summary>
    public void Inherit(TimeSpan? learned, TimeSpan? promised)
    {
        lock (_gate)
        {
            Volatile.Write(ref _learned, TicksOf(learned));
            Volatile.Write(ref _promised, TicksOf(promised));
            Conclude();
        }
    }

    /// <summary>Whether a connection may be reused.</summary>
    /// <param name="idle">How long it has been idle, in heartbeat ticks.</param>
    /// <param name="mustBeSure">The request cannot be sent twice.</param>
    public bool Trusts(long idle, bool mustBeSure)
        => idle < Volatile.Read(ref mustBeSure ? ref _usableOnce : ref _usable);

    /// <summary>The backend has closed an idle connection, or one that had just been reused.</summary>
    /// <param name="idle">How long it had been idle, in heartbeat ticks.</param>
    /// <param name="now">In heartbeat time.</param>
    public void ObserveClose(long idle, long now)
    {
        lock (_gate)
        {
            foreach (var sample in _samples)
            {
                var tolerance = Math.Max(idle, sample.Idle) / 10 + _marginMin;
                if (Math.Abs(idle - sample.Idle) <= tolerance && now - sample.Now > _sameMoment)
                    _learned = Math.Min(idle, sample.Idle);
            }

            if (_samples.Count == SamplesKept)
                _samples.Dequeue();
            _samples.Enqueue(new(idle, now));
            Conclude();
        }
    }

    /// <summary>A connection that nobody reused is still open at an age that was thought impossible.</summary>
    /// <param name="idle">How long it has been idle, in heartbeat ticks.</param>
    public void ObserveOpen(long idle)
    {
        lock (_gate)
        {
            if (_learned == Heartbeat.Never || idle <= 2 * _learned + _doubtAge)
                return;

            _learned = Heartbeat.Never;
            _samples.Clear();
            Conclude();
        }
    }

    /// <summary>
    /// Takes note of what a response says in Keep-Alive: <c>timeout=5</c> is a promise in seconds. The field has no
    /// standard of its own today; RFC 2068 §19.7.1.1 named it, and servers in wide use send it.
    /// </summary>
    /// <param name="keepAlive">The field value; whatever is no such promise is ignored.</param>
    public void ObservePromise(ReadOnlySpan<byte> keepAlive)
    {
        if (!TryReadTimeout(keepAlive, out var seconds))
            return;

        var promised = _heartbeat.Ticks(TimeSpan.FromSeconds(seconds));
        if (promised == Volatile.Read(ref _promised))
            return;

        lock (_gate)
        {
            Volatile.Write(ref _promised, promised);
            Conclude();
        }
    }

    private TimeSpan? SpanOf(long ticks) => ticks == Heartbeat.Never ? null : _heartbeat.Span(ticks);

    private long TicksOf(TimeSpan? span) => span is { } known ? _heartbeat.Ticks(known) : Heartbeat.Never;

    private static bool TryReadTimeout(ReadOnlySpan<byte> list, out long seconds)
    {
        while (Ascii.TryTakeElement(ref list, out var element))
        {
            if (element.Length > Timeout.Length && Ascii.EqualsIgnoreCase(element[..Timeout.Length], Timeout)
                && Ascii.TryParseDecimal(element[Timeout.Length..], out seconds))
            {
                return seconds < TimeSpan.SecondsPerDay;
            }
        }

        seconds = 0;
        return false;
    }

    // A tenth and more below what is known, because networks and clocks are not exact either.
    private void Conclude()
    {
        var known = Math.Min(_learned, _promised);
        if (known == Heartbeat.Never)
        {
            Volatile.Write(ref _usable, Heartbeat.Never);
            Volatile.Write(ref _usableOnce, _cautiousAge);
            return;
        }

        var usable = Math.Max(known - (known / 10) - _marginMin, 0);
        Volatile.Write(ref _usable, usable);
        Volatile.Write(ref _usableOnce, usable);
    }

    /// <summary>One close of an idle connection.</summary>
    /// <param name="Idle">How long it had been idle.</param>
    /// <param name="Now">When it was closed.</param>
    private readonly record struct Sample(long Idle, long Now);
}
