using System.Runtime.InteropServices;

namespace PolyBalance.Transport.Linux;

/// <summary>The system calls that the ring transport makes beside those of the ring itself.</summary>
/// <remarks>
/// Results are those of libc: negative means failure, and <see cref="LastError"/> says which. Nothing here blocks:
/// sends carry <see cref="DoNotWait"/>, and everything that waits goes through a <see cref="Ring"/>.
/// </remarks>
internal static unsafe partial class Libc
{
    /// <summary>EPERM: a seccomp filter or a policy forbids the call.</summary>
    public const int NotPermitted = 1;

    /// <summary>ENOENT: no such file.</summary>
    public const int NoSuchFile = 2;

    /// <summary>EINTR: a signal came in between.</summary>
    public const int Interrupted = 4;

    /// <summary>EAGAIN: it would have to wait.</summary>
    public const int WouldBlock = 11;

    /// <summary>ENFILE: the system has no file descriptor left.</summary>
    public const int TooManyFilesInSystem = 23;

    /// <summary>EMFILE: the process has no file descriptor left.</summary>
    public const int TooManyFiles = 24;

    /// <summary>ENOMEM: no memory, or none that may be locked.</summary>
    public const int NoMemory = 12;

    /// <summary>EINVAL: the kernel does not know what it was asked for.</summary>
    public const int Invalid = 22;

    /// <summary>ENOSYS: the kernel has no such call.</summary>
    public const int NoSuchCall = 38;

    /// <summary>ETIMEDOUT: the network gave no answer.</summary>
    public const int TimedOut = 110;

    /// <summary>ECONNREFUSED: nobody listens.</summary>
    public const int Refused = 111;

    /// <summary>ECANCELED: the operation was taken back.</summary>
    public const int Cancelled = 125;

    /// <summary>MSG_DONTWAIT: fail instead of waiting.</summary>
    public const int DoNotWait = 0x40;

    /// <summary>MSG_NOSIGNAL: a broken connection is an error code, not a signal.</summary>
    public const int NoSignal = 0x4000;

    /// <summary>MSG_MORE: more follows at once.</summary>
    public const int More = 0x8000;

    /// <summary>SHUT_WR: the peer is told that nothing more will come.</summary>
    public const int ShutdownSend = 1;

    /// <summary>SHUT_RDWR: both directions.</summary>
    public const int ShutdownBoth = 2;

    /// <summary>POLLIN: there is something to receive, or the end.</summary>
    public const short Readable = 1;

    /// <summary>POLLOUT: there is room to send.</summary>
    public const short Writable = 4;

    /// <summary>POLLRDHUP: the peer sends nothing more.</summary>
    public const int PeerEnded = 0x2000;

    /// <summary>POLLRDHUP, POLLHUP, POLLERR: the peer sends nothing more, or the connection is broken.</summary>
    public const int AnyEnd = PeerEnded | 0x10 | 8;

    /// <summary>What files of accepted clients are: SOCK_CLOEXEC | SOCK_NONBLOCK.</summary>
    public const int AcceptedFlags = 0x80800;

    private const int NonBlocking = 0x800;              // O_NONBLOCK
    private const int SetDescriptorFlags = 2;           // F_SETFD
    private const int CloseOnExecFlag = 1;              // FD_CLOEXEC
    private const int SetFlags = 4;                     // F_SETFL
    private const int SetPipeSize = 1031;               // F_SETPIPE_SZ
    private const int PipeBytes = 512 * 1024;
    private const int SocketLevel = 1;                  // SOL_SOCKET
    private const int LingerOption = 13;                // SO_LINGER
    private const int PeerCredentials = 17;             // SO_PEERCRED
    private const int CloseOnExec = 0x80000;            // O_CLOEXEC, EFD_CLOEXEC
    private const uint SpliceNow = 3;                   // SPLICE_F_MOVE | SPLICE_F_NONBLOCK
    private const uint SpliceMore = 4;                  // SPLICE_F_MORE
    private const int AddressBytesMax = 128;            // sockaddr_storage

    /// <summary>The error code of the last call of this thread that failed.</summary>
    public static int LastError => Marshal.GetLastPInvokeError();

    /// <summary>A close from now on throws away what was not sent, and resets the connection (SO_LINGER 0).</summary>
    public static void ResetOnClose(int fd)
    {
        var linger = stackalloc int[2] { 1, 0 };
        setsockopt(fd, SocketLevel, LingerOption, linger, 2 * sizeof(int));
    }

    /// <summary>The process at the other end of a Unix socket, and its user (SO_PEERCRED).</summary>
    /// <returns>False: there is none.</returns>
    public static bool TryFindPeer(int fd, out int process, out int user)
    {
        var credentials = stackalloc int[3];
        var length = 3 * sizeof(int);
        var isFound = getsockopt(fd, SocketLevel, PeerCredentials, credentials, &length) == 0;
        (process, user) = (credentials[0], credentials[1]);
        return isFound;
    }

    /// <summary>The user whose rights this process has.</summary>
    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial int OwnUser();

    /// <summary>The process that has started this one.</summary>
    [LibraryImport("libc", EntryPoint = "getppid")]
    public static partial int Parent();

    /// <summary>The peer's address; its length, or negative when there is no peer any more.</summary>
    public static int PeerOf(int fd, Span<byte> address)
    {
        var length = Math.Min(address.Length, AddressBytesMax);
        fixed (byte* pointer = address)
            return getpeername(fd, pointer, &length) < 0 ? -1 : length;
    }

    /// <summary>Connects without waiting: for Unix sockets, where a connect never takes long.</summary>
    /// <returns>0, or the error code.</returns>
    public static int ConnectAtOnce(int fd, ReadOnlySpan<byte> address)
    {
        NeverWait(fd);
        fixed (byte* pointer = address)
            return connect(fd, pointer, address.Length) < 0 ? LastError : 0;
    }

    /// <summary>Has every call for a file fail that would have to wait.</summary>
    public static void NeverWait(int fd) => fcntl(fd, SetFlags, NonBlocking);

    /// <summary>Ends <see cref="NeverWait"/>, which holds for everybody who has the file open.</summary>
    public static void MayWait(int fd) => fcntl(fd, SetFlags, 0);

    /// <summary>
    /// Takes the next client of a listening socket, whose own file never waits and is closed in programs; negative:
    /// there is none.
    /// </summary>
    public static int Accept(int fd) => accept4(fd, null, null, AcceptedFlags);

    /// <summary>Has a file closed in programs that this process starts (FD_CLOEXEC).</summary>
    public static void CloseInPrograms(int fd) => fcntl(fd, SetDescriptorFlags, CloseOnExecFlag);

    /// <summary>What of <paramref name="events"/>, an error or the end there is now; 0: nothing.</summary>
    public static int PollNow(int fd, short events)
    {
        var entry = new PollEntry { File = fd, Events = events };
        return poll(&entry, 1, 0);
    }

    /// <summary>
    /// Moves bytes from one file to another inside the kernel, without waiting; one of them is a pipe.
    /// </summary>
    /// <returns>As read(2) and write(2).</returns>
    public static nint Splice(int from, int to, nint length, bool hasMore)
        => splice(from, null, to, null, length, hasMore ? SpliceNow | SpliceMore : SpliceNow);

    /// <summary>A pipe that never waits. False when no file descriptor is left.</summary>
    public static bool TryOpenPipe(out int readEnd, out int writeEnd)
    {
        var ends = stackalloc int[2];
        var succeeded = pipe2(ends, NonBlocking | CloseOnExec) == 0;
        if (succeeded)
            fcntl(ends[0], SetPipeSize, PipeBytes);     // where that is not allowed, the usual size does
        (readEnd, writeEnd) = (ends[0], ends[1]);
        return succeeded;
    }

    /// <summary>Something to wake a loop with: a counter that can be written and read.</summary>
    public static int OpenEvent() => eventfd(0, CloseOnExec);

    /// <summary>Adds one to an event's counter.</summary>
    public static void Signal(int fd)
    {
        var one = 1UL;
        write(fd, &one, sizeof(ulong));
    }

    /// <summary>Sends one piece.</summary>
    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    public static partial nint Send(int fd, byte* bytes, nint length, int flags);

    /// <summary>Receives what is there.</summary>
    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    public static partial nint Receive(int fd, byte* bytes, nint length, int flags);

    /// <summary>Sends several pieces in one call.</summary>
    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    public static partial nint SendPieces(int fd, Message* message, int flags);

    /// <summary>Receives what is there, files included, into several pieces.</summary>
    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    public static partial nint ReceivePieces(int fd, Message* message, int flags);

    /// <summary>Ends one or both directions of a connection.</summary>
    [LibraryImport("libc", EntryPoint = "shutdown", SetLastError = true)]
    public static partial int Shutdown(int fd, int how);

    /// <summary>Closes a file descriptor.</summary>
    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int fd);

    /// <summary>Maps memory of a file, or fresh memory.</summary>
    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    public static partial byte* Map(void* near, nuint length, int protection, int flags, int fd, nint offset);

    /// <summary>Gives mapped memory back.</summary>
    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    public static partial int Unmap(void* start, nuint length);

    /// <summary>Any system call by its number; the ring has no functions in libc.</summary>
    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    public static partial nint SystemCall(nint number, nint a, nint b, nint c, nint d, nint e, nint f);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setsockopt(int fd, int level, int name, void* value, int length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getsockopt(int fd, int level, int name, void* value, int* length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getpeername(int fd, byte* address, int* length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int connect(int fd, byte* address, int length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int accept4(int fd, byte* address, int* length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int fd, int command, nint argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(PollEntry* entries, nuint count, int timeout);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint splice(int from, long* fromOffset, int to, long* toOffset, nint length, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int pipe2(int* ends, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int eventfd(uint start, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int fd, void* bytes, nint length);

    /// <summary>struct iovec: one piece of memory.</summary>
    public struct Piece
    {
        /// <summary>Where it starts.</summary>
        public byte* Start;

        /// <summary>How long it is. Unit: bytes.</summary>
        public nint Length;
    }

    /// <summary>struct msghdr: what one call sends or receives.</summary>
    public struct Message
    {
        /// <summary>Unused: the socket is connected.</summary>
        public void* Name;

        /// <summary>Unused.</summary>
        public int NameLength;

        /// <summary>The pieces.</summary>
        public Piece* Pieces;

        /// <summary>How many pieces.</summary>
        public nint Count;

        /// <summary>What goes beside the bytes: struct cmsghdr, one after the other.</summary>
        public void* Control;

        /// <summary>How long that is. Unit: bytes.</summary>
        public nint ControlLength;

        /// <summary>What became of it, when something was received.</summary>
        public int Flags;
    }

    private struct PollEntry
    {
        public int File;
        public short Events;
        public short Happened;
    }
}
