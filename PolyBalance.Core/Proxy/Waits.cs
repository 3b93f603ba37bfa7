using System.Runtime.CompilerServices;

namespace PolyBalance.Proxy;

/// <summary>Whom an exchange waits for.</summary>
internal enum WaitKind : byte
{
    /// <summary>The client: for its head, or until it takes bytes of a response.</summary>
    Client,

    /// <summary>A place at a backend, in the queue.</summary>
    Queue,

    /// <summary>A connection to a backend.</summary>
    Connect,

    /// <summary>A backend's final response head.</summary>
    FirstByte,

    /// <summary>The rest of a backend's response.</summary>
    Content,
}

/// <summary>For how long an exchange has waited for whom; what is left of its duration is the gateway's own.</summary>
/// <remarks>
/// Owned by the exchange's flow: what the pump of the request body waits for holds up nobody. All times in heartbeat
/// ticks.
/// </remarks>
internal struct Waits
{
    private const int Kinds = (int)WaitKind.Content + 1;

    private Durations _durations;
    private long _started;
    private bool _isWaiting;
    private WaitKind _kind;

    /// <summary>How long one kind of wait took so far; one that is under way does not count.</summary>
    public readonly long this[WaitKind kind] => _durations[(int)kind];

    /// <summary>Who is waited for now; null: nobody. Any thread; it may be over already.</summary>
    public readonly WaitKind? Current => _isWaiting ? _kind : null;

    /// <summary>The sum over all kinds.</summary>
    public readonly long Total
    {
        get
        {
            var total = 0L;
            foreach (var one in _durations)
                total += one;
            return total;
        }
    }

    /// <summary>From here on somebody else has to do something first. One wait may pass into the next.</summary>
    /// <param name="kind">Who.</param>
    /// <param name="heartbeat">The clock.</param>
    public void Begin(WaitKind kind, Transport.Heartbeat heartbeat)
    {
        if (_isWaiting && kind == _kind)
            return;

        var now = _isWaiting ? heartbeat.Now : heartbeat.ExactNow;
        if (_isWaiting)
            Add(_kind, now - _started);
        (_isWaiting, _kind, _started) = (true, kind, now);
    }

    /// <summary>
    /// Ends <see cref="Begin"/>, if it was called. What was waited for was there when the turn of the loop began:
    /// standing in line behind other exchanges is ours to answer for.
    /// </summary>
    public void End(Transport.Heartbeat heartbeat)
    {
        if (!_isWaiting)
            return;

        Add(_kind, heartbeat.Now - _started);
        _isWaiting = false;
    }

    /// <summary>Notes a wait that nobody began.</summary>
    public void Add(WaitKind kind, long ticks) => _durations[(int)kind] += Math.Max(ticks, 0);

    /// <summary>So much of one kind was another, or as much of it as there is.</summary>
    public void Move(WaitKind from, WaitKind to, long ticks)
    {
        var moved = Math.Clamp(ticks, 0, _durations[(int)from]);
        _durations[(int)from] -= moved;
        _durations[(int)to] += moved;
    }

    [InlineArray(Kinds)]
    private struct Durations
    {
        private long _first;
    }
}
