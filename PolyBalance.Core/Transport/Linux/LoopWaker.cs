using System.Diagnostics.CodeAnalysis;
using Microsoft.Win32.SafeHandles;

namespace PolyBalance.Transport.Linux;

/// <summary>Gets a loop out of its sleep when another thread has posted something: an eventfd that it reads.</summary>
[SuppressMessage("Design", "CA1001",
    Justification = "Somebody may ring just when the loop ends: only the finalizer knows when nobody will any more.")]
internal sealed unsafe class LoopWaker(EventLoop loop) : ILoopMember
{
    private readonly SafeFileHandle _event = new(Libc.OpenEvent(), ownsHandle: true);
    private readonly ulong[] _count = GC.AllocateArray<ulong>(1, pinned: true);
    private int _number;
    private int _isRinging;         // 1: signalled, and the loop has not noticed yet

    /// <summary>Wakes the loop. Any thread; a second call before the loop has woken costs nothing.</summary>
    public void Wake()
    {
        if (Interlocked.Exchange(ref _isRinging, 1) == 0)
            Libc.Signal((int)_event.DangerousGetHandle());
    }

    /// <summary>Begins to listen. Loop thread, once.</summary>
    public void Arm()
    {
        _number = loop.Enrol(this);
        BeginRead();
    }

    /// <inheritdoc/>
    public void OnCompleted(byte kind, in Ring.Completion completion)
    {
        // What was posted before this line is run in the next turn; what is posted after it rings again. A full fence:
        // otherwise the look into the mailbox could come before the store, and a post in between would wake nobody.
        Interlocked.Exchange(ref _isRinging, 0);
        BeginRead();
    }

    /// <inheritdoc/>
    public void OnLoopEnding()
    {
        // Needed until everybody else has left.
    }

    private void BeginRead()
    {
        ref var read = ref loop.Begin(Operation.Read, (int)_event.DangerousGetHandle(), _number, kind: 0);
        fixed (ulong* count = _count)
            read.Address = (ulong)count;
        read.Length = sizeof(ulong);
    }
}
