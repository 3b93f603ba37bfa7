using System.Buffers;

namespace PolyBalance.Admin;

/// <summary>Content of any length in rented pages: nothing large is allocated, nothing is copied to grow.</summary>
/// <remarks>One owner.</remarks>
internal sealed class PagedContent : IBufferWriter<byte>, IDisposable
{
    /// <summary>Length of a page, unless more is asked for at once. Unit: bytes.</summary>
    private const int PageBytes = 64 * 1024;

    private readonly List<Page> _pages = [];

    /// <summary>What was written. Lent until <see cref="Dispose"/>.</summary>
    public ReadOnlySequence<byte> Content
        => _pages.Count == 0 ? default : new(_pages[0], 0, _pages[^1], _pages[^1].Memory.Length);

    /// <inheritdoc/>
    public void Advance(int count) => _pages[^1].Fill(count);

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        var needed = Math.Max(sizeHint, 1);
        if (_pages.Count == 0 || _pages[^1].Room.Length < needed)
        {
            var page = new Page(ArrayPool<byte>.Shared.Rent(Math.Max(needed, PageBytes)));
            if (_pages.Count > 0)
                _pages[^1].Link(page);
            _pages.Add(page);
        }

        return _pages[^1].Room;
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var page in _pages)
            ArrayPool<byte>.Shared.Return(page.Array);
        _pages.Clear();
    }

    /// <summary>One rented array, and how much of it is written.</summary>
    private sealed class Page(byte[] array) : ReadOnlySequenceSegment<byte>
    {
        public byte[] Array { get; } = array;

        public Memory<byte> Room => Array.AsMemory(Memory.Length);

        public void Fill(int count) => Memory = Array.AsMemory(0, Memory.Length + count);

        public void Link(Page next)
        {
            next.RunningIndex = RunningIndex + Memory.Length;
            Next = next;
        }
    }
}
