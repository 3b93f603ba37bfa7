using System.Diagnostics.CodeAnalysis;

namespace PolyBalance.Transport;

/// <summary>Something that has ended and whose owner is to be told.</summary>
internal interface ICompletion
{
    /// <summary>Tells the owner.</summary>
    void Run();
}

/// <summary>Runs completions on the thread that caused them: one after another, never one inside another.</summary>
/// <remarks>
/// Two ends that answer each other would otherwise call each other ever deeper until the stack is full. The first
/// caller on a thread runs what its call set off, and whatever that sets off, before it returns. Any thread; threads do
/// not wait for each other.
/// </remarks>
[SuppressMessage("Design", "CA1001",
    Justification = "Completions come to the very end: the finalizer is soon enough.")]
internal sealed class CompletionQueue
{
    private readonly ThreadLocal<Turns> _turns = new(static () => new());

    /// <summary>Runs a completion now, or when the completion that is running on this thread has returned.</summary>
    public void Run(ICompletion completion)
    {
        var turns = _turns.Value!;
        turns.Waiting.Enqueue(completion);
        if (turns.IsRunning)
            return;

        turns.IsRunning = true;
        try
        {
            while (turns.Waiting.TryDequeue(out var next))
                next.Run();
        }
        finally
        {
            turns.IsRunning = false;
        }
    }

    private sealed class Turns
    {
        public readonly Queue<ICompletion> Waiting = new();
        public bool IsRunning;
    }
}
