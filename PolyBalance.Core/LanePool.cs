using Microsoft.Extensions.ObjectPool;

namespace PolyBalance;

/// <summary>
/// Keeps objects for reuse, and gives each thread back what it returned last: that is still in its core's cache.
/// </summary>
/// <remarks>
/// Any thread. Nobody ever waits: a lane that is in somebody's hands this instant is passed over, and when there is
/// nothing to take, an object is made; when there is no room, it is left to the garbage collector.
/// </remarks>
internal sealed class LanePool<T> : ObjectPool<T>
    where T : class
{
    private readonly Lane[] _lanes = new Lane[ThreadLane.Count];
    private readonly Func<T> _create;
    private readonly Func<T, bool> _tryReset;
    private long _created;
    private long _dropped;

    /// <summary>Makes an empty pool.</summary>
    /// <param name="create">Makes an object.</param>
    /// <param name="tryReset">Prepares an object for reuse; false: it is of no use any more.</param>
    /// <param name="kept">How many unused objects are kept at most.</param>
    public LanePool(Func<T> create, Func<T, bool> tryReset, int kept)
    {
        _create = create;
        _tryReset = tryReset;
        for (var index = 0; index < _lanes.Length; index++)
            _lanes[index] = new((kept + _lanes.Length - 1) / _lanes.Length);
    }

    /// <summary>Objects that are out. Exact while nothing moves.</summary>
    public long Rented
    {
        get
        {
            var rented = Interlocked.Read(ref _created) - Interlocked.Read(ref _dropped);
            foreach (var lane in _lanes)
                rented -= lane.Count;
            return rented;
        }
    }

    /// <inheritdoc/>
    public override T Get()
    {
        var own = ThreadLane.Own;
        for (var step = 0; step < _lanes.Length; step++)
        {
            if (_lanes[(own + step) & (_lanes.Length - 1)].TryPop() is { } item)
                return item;
        }

        Interlocked.Increment(ref _created);
        return _create();
    }

    /// <inheritdoc/>
    public override void Return(T obj)
    {
        if (_tryReset(obj))
        {
            var own = ThreadLane.Own;
            for (var step = 0; step < _lanes.Length; step++)
            {
                if (_lanes[(own + step) & (_lanes.Length - 1)].TryPush(obj))
                    return;
            }
        }

        Interlocked.Increment(ref _dropped);
    }

    /// <summary>A stack that one thread at a time may touch; the others go elsewhere.</summary>
    private sealed class Lane(int room)
    {
        private readonly T?[] _items = new T?[room];
        private int _isTaken;
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public T? TryPop()
        {
            // A look before the exchange spares empty lanes the traffic between cores.
            if (Volatile.Read(ref _count) == 0 || Interlocked.Exchange(ref _isTaken, 1) == 1)
                return null;

            var item = default(T);
            if (_count > 0)
            {
                item = _items[--_count];
                _items[_count] = null;
            }

            Volatile.Write(ref _isTaken, 0);
            return item;
        }

        public bool TryPush(T item)
        {
            if (Interlocked.Exchange(ref _isTaken, 1) == 1)
                return false;

            var hasRoom = _count < _items.Length;
            if (hasRoom)
                _items[_count++] = item;
            Volatile.Write(ref _isTaken, 0);
            return hasRoom;
        }
    }
}
