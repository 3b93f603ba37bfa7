using System.Collections.Concurrent;

namespace PolyBalance.Tests.Interop;

/// <summary>The lines of one standard stream of a process, as they come. One reader, any number of waiters.</summary>
internal sealed class OutputLines
{
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The lines so far.</summary>
    public IReadOnlyCollection<string> All => _lines;

    /// <summary>The lines so far, as one text.</summary>
    public string Text => string.Join('\n', _lines);

    /// <summary>Completes when the stream has ended.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Reads to the end of the stream.</summary>
    public async Task ReadAsync(TextReader reader)
    {
        try
        {
            while (await reader.ReadLineAsync() is { } line)
            {
                _lines.Enqueue(line);
                var next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                Interlocked.Exchange(ref _changed, next).SetResult();
            }
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The process was killed and its streams disposed of: what it printed until then is here.
        }

        _ended.SetResult();
    }

    /// <summary>The first line that holds a text; waits for it.</summary>
    /// <exception cref="EndOfStreamException">The stream ended without such a line.</exception>
    public async Task<string> FindAsync(string text)
    {
        while (true)
        {
            // Taken before the search: a line that comes during it completes this task.
            var changed = Volatile.Read(ref _changed).Task;
            var hasEnded = _ended.Task.IsCompleted;
            if (_lines.FirstOrDefault(line => line.Contains(text, StringComparison.Ordinal)) is { } found)
                return found;
            if (hasEnded)
                throw new EndOfStreamException();

            await Task.WhenAny(changed, _ended.Task);
        }
    }
}
