using PolyBalance.Transport;

namespace PolyBalance.Tests.Transport;

/// <summary>Counts what it is told.</summary>
internal sealed class CountingWatcher : IConnectionWatcher
{
    private int _bytes;
    private int _ends;

    /// <summary>Reports of bytes.</summary>
    public int Bytes => Volatile.Read(ref _bytes);

    /// <summary>Reports of an end.</summary>
    public int Ends => Volatile.Read(ref _ends);

    /// <inheritdoc/>
    public void OnInput(bool ended) => Interlocked.Increment(ref ended ? ref _ends : ref _bytes);
}
