using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PolyBalance.Transport.Linux;

/// <summary>One io_uring: the kernel's interface and nothing else. See io_uring(7) and io_uring_enter(2).</summary>
/// <remarks>
/// Made, entered and closed by one thread, which is also the only one that touches it (IORING_SETUP_SINGLE_ISSUER,
/// DEFER_TASKRUN: completions appear only while that thread is in <see cref="SubmitAndWait"/>). Linux 6.1 or newer.
/// </remarks>
internal sealed unsafe class Ring : IDisposable
{
    private const nint SetupCall = 425;
    private const nint EnterCall = 426;

    private const uint SingleIssuer = 1 << 12;
    private const uint DeferTaskRun = 1 << 13;
    private const uint GetEvents = 1;           // IORING_ENTER_GETEVENTS

    private const int ReadWrite = 3;            // PROT_READ | PROT_WRITE
    private const int SharedPopulated = 0x8001; // MAP_SHARED | MAP_POPULATE
    private const nint EntriesOffset = 0x10000000;
    private const int AddressBytes = 128;

    private readonly int _file;
    private readonly byte* _rings;
    private readonly nuint _ringsLength;
    private readonly Submission* _entries;
    private readonly byte* _addresses;          // one place per entry, for what must stay until it is submitted
    private readonly uint _entryCount;
    private readonly uint* _submissionHead;
    private readonly uint* _submissionTail;
    private readonly uint _submissionMask;
    private readonly uint* _completionHead;
    private readonly uint* _completionTail;
    private readonly uint _completionMask;
    private readonly Completion* _completions;
    private uint _unsubmitted;

    private Ring(int file, in Parameters parameters)
    {
        _file = file;
        _entryCount = parameters.SubmissionEntries;
        _ringsLength = Math.Max(
            parameters.Submission.Array + _entryCount * sizeof(uint),
            parameters.Completion.Entries + parameters.CompletionEntries * (nuint)sizeof(Completion));
        _rings = Libc.Map(null, _ringsLength, ReadWrite, SharedPopulated, file, 0);
        _entries = (Submission*)Libc.Map(null, EntriesLength, ReadWrite, SharedPopulated, file, EntriesOffset);
        _addresses = (byte*)NativeMemory.AllocZeroed(_entryCount, AddressBytes);
        _submissionHead = (uint*)(_rings + parameters.Submission.Head);
        _submissionTail = (uint*)(_rings + parameters.Submission.Tail);
        _submissionMask = *(uint*)(_rings + parameters.Submission.Mask);
        _completionHead = (uint*)(_rings + parameters.Completion.Head);
        _completionTail = (uint*)(_rings + parameters.Completion.Tail);
        _completionMask = *(uint*)(_rings + parameters.Completion.Mask);
        _completions = (Completion*)(_rings + parameters.Completion.Entries);

        // Entries are used in their order, so the indirection that the kernel offers is filled in once.
        var order = (uint*)(_rings + parameters.Submission.Array);
        for (var index = 0u; index < _entryCount; index++)
            order[index] = index;
    }

    private nuint EntriesLength => _entryCount * (nuint)sizeof(Submission);

    /// <summary>Makes a ring for the current thread.</summary>
    /// <param name="entries">Operations that can be begun in one turn without an extra call; a power of two.</param>
    /// <param name="ring">The ring; null when the kernel refused.</param>
    /// <returns>0, or the error code of io_uring_setup(2).</returns>
    public static int TryMake(uint entries, out Ring? ring)
    {
        var parameters = new Parameters { Flags = SingleIssuer | DeferTaskRun };
        var file = (int)Libc.SystemCall(SetupCall, (nint)entries, (nint)(&parameters), 0, 0, 0, 0);
        ring = file < 0 ? null : new(file, parameters);
        return file < 0 ? Libc.LastError : 0;
    }

    /// <summary>
    /// The next free entry, all zero but for what is given. It goes to the kernel with the next turn.
    /// </summary>
    /// <param name="operation">What to do.</param>
    /// <param name="file">With which file descriptor.</param>
    /// <param name="tag">Comes back with the completion.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref Submission Begin(Operation operation, int file, ulong tag)
    {
        var tail = *_submissionTail;
        if (tail - Volatile.Read(ref *_submissionHead) == _entryCount)
            Enter(0);

        ref var entry = ref _entries[tail & _submissionMask];
        entry = default;
        entry.Operation = operation;
        entry.File = file;
        entry.Tag = tag;
        Volatile.Write(ref *_submissionTail, tail + 1);
        _unsubmitted++;
        return ref entry;
    }

    /// <summary>Memory of 128 bytes that belongs to an entry until it is submitted.</summary>
    public Span<byte> AddressOf(ref Submission entry)
    {
        var index = (Submission*)Unsafe.AsPointer(ref entry) - _entries;
        return new(_addresses + index * AddressBytes, AddressBytes);
    }

    /// <summary>Hands all new entries to the kernel and collects completions.</summary>
    /// <param name="wait">Whether to sleep until there is at least one.</param>
    public void SubmitAndWait(bool wait) => Enter(wait ? 1u : 0);

    /// <summary>Takes the next completion. False when there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryTake(out Completion completion)
    {
        var head = *_completionHead;
        if (head == Volatile.Read(ref *_completionTail))
        {
            completion = default;
            return false;
        }

        completion = _completions[head & _completionMask];
        Volatile.Write(ref *_completionHead, head + 1);
        return true;
    }

    /// <summary>Closes the ring. Operations that are still pending are taken back by the kernel.</summary>
    public void Dispose()
    {
        Libc.Unmap(_entries, EntriesLength);
        Libc.Unmap(_rings, _ringsLength);
        Libc.Close(_file);
        NativeMemory.Free(_addresses);
    }

    private void Enter(uint wait)
    {
        // A signal, or completions that first have to be taken, may cut it short: the next turn submits the rest.
        var submitted = Libc.SystemCall(EnterCall, _file, (nint)_unsubmitted, (nint)wait, (nint)GetEvents, 0, 0);
        if (submitted > 0)
            _unsubmitted -= (uint)submitted;
    }

    /// <summary>struct io_uring_sqe: one operation to begin.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 64)]
    public struct Submission
    {
        /// <summary>What to do.</summary>
        [FieldOffset(0)]
        public Operation Operation;

        /// <summary>More bits, whose meaning depends on the operation.</summary>
        [FieldOffset(2)]
        public ushort Options;

        /// <summary>The file descriptor.</summary>
        [FieldOffset(4)]
        public int File;

        /// <summary>An offset, or the length of an address.</summary>
        [FieldOffset(8)]
        public ulong Offset;

        /// <summary>Memory, or the tag of another operation.</summary>
        [FieldOffset(16)]
        public ulong Address;

        /// <summary>The length of the memory. Unit: bytes.</summary>
        [FieldOffset(24)]
        public uint Length;

        /// <summary>Flags of the operation itself.</summary>
        [FieldOffset(28)]
        public uint OperationFlags;

        /// <summary>Comes back with the completion.</summary>
        [FieldOffset(32)]
        public ulong Tag;
    }

    /// <summary>struct io_uring_cqe: what became of one operation.</summary>
    public readonly struct Completion
    {
        /// <summary>What was given to <see cref="Begin"/>.</summary>
        public readonly ulong Tag;

        /// <summary>The result; negative: an error code.</summary>
        public readonly int Result;

        /// <summary>IORING_CQE_F_* bits.</summary>
        public readonly uint Flags;

        /// <summary>Whether the same operation will complete again.</summary>
        public bool HasMore => (Flags & 2) != 0;
    }

    private struct Parameters
    {
        public uint SubmissionEntries;
        public uint CompletionEntries;
        public uint Flags;
        public uint PollerProcessor;
        public uint PollerIdle;
        public uint Features;
        public uint SharedWorkers;
        public fixed uint Reserved[3];
        public SubmissionOffsets Submission;
        public CompletionOffsets Completion;
    }

    private struct SubmissionOffsets
    {
        public uint Head;
        public uint Tail;
        public uint Mask;
        public uint Entries;
        public uint Flags;
        public uint Dropped;
        public uint Array;
        public uint Reserved;
        public ulong UserAddress;
    }

    private struct CompletionOffsets
    {
        public uint Head;
        public uint Tail;
        public uint Mask;
        public uint Count;
        public uint Overflow;
        public uint Entries;
        public uint Flags;
        public uint Reserved;
        public ulong UserAddress;
    }
}

/// <summary>The operations of a ring that are used here: IORING_OP_*.</summary>
internal enum Operation : byte
{
    /// <summary>Waits until a file is ready (POLL_ADD).</summary>
    Poll = 6,

    /// <summary>Completes after a while.</summary>
    Timeout = 11,

    /// <summary>Accepts clients.</summary>
    Accept = 13,

    /// <summary>Takes another operation back (ASYNC_CANCEL).</summary>
    Cancel = 14,

    /// <summary>Connects a socket.</summary>
    Connect = 16,

    /// <summary>Reads from a file.</summary>
    Read = 22,
}
