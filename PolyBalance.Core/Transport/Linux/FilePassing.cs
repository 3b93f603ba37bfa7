using System.Net.Sockets;

namespace PolyBalance.Transport.Linux;

/// <summary>Gives open files to the process at the other end of a Unix socket (SCM_RIGHTS of unix(7)).</summary>
/// <remarks>
/// Files travel beside bytes, and a stream of bytes alone would be cut anywhere: each batch goes with one byte, and is
/// received with one call. Nothing here waits.
/// </remarks>
internal static unsafe class FilePassing
{
    /// <summary>How many go with one byte; the kernel takes 253.</summary>
    public const int BatchMax = 128;

    private const int SocketLevel = 1;              // SOL_SOCKET
    private const int Rights = 1;                   // SCM_RIGHTS
    private const int WereCut = 8;                  // MSG_CTRUNC
    private const int CloseInPrograms = 0x40000000; // MSG_CMSG_CLOEXEC
    private const int HeadBytes = 16;               // struct cmsghdr
    private const byte Mark = (byte)'F';

    /// <summary>Sends one batch.</summary>
    /// <param name="channel">A connected Unix socket with room for a byte.</param>
    /// <param name="files">The files; they stay open here as well.</param>
    /// <returns>0, or the error code.</returns>
    public static int Send(Socket channel, ReadOnlySpan<int> files)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(files.Length, BatchMax);
        var control = stackalloc byte[HeadBytes + (BatchMax * sizeof(int))];
        *(nint*)control = HeadBytes + (files.Length * sizeof(int));
        *(int*)(control + sizeof(nint)) = SocketLevel;
        *(int*)(control + sizeof(nint) + sizeof(int)) = Rights;
        files.CopyTo(new Span<int>(control + HeadBytes, files.Length));

        var mark = Mark;
        var piece = new Libc.Piece { Start = &mark, Length = 1 };
        var message = new Libc.Message
        {
            Pieces = &piece,
            Count = 1,
            Control = control,
            ControlLength = Aligned(HeadBytes + (files.Length * sizeof(int))),
        };
        return Libc.SendPieces(FileOf(channel), &message, Libc.DoNotWait | Libc.NoSignal) == 1 ? 0 : Libc.LastError;
    }

    /// <summary>Receives one batch.</summary>
    /// <param name="channel">A connected Unix socket from which something can be read.</param>
    /// <param name="files">As many as are expected. They are closed in programs that this process starts.</param>
    /// <returns>False: something else came, or nothing; no file is left open.</returns>
    public static bool TryReceive(Socket channel, Span<int> files)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(files.Length, BatchMax);
        var control = stackalloc byte[HeadBytes + (BatchMax * sizeof(int))];
        byte mark = 0;
        var piece = new Libc.Piece { Start = &mark, Length = 1 };
        var message = new Libc.Message
        {
            Pieces = &piece,
            Count = 1,
            Control = control,
            ControlLength = HeadBytes + (BatchMax * sizeof(int)),
        };
        var received = Libc.ReceivePieces(FileOf(channel), &message, Libc.DoNotWait | CloseInPrograms);
        var hasFiles = received == 1 && message.ControlLength >= HeadBytes
            && *(int*)(control + sizeof(nint)) == SocketLevel
            && *(int*)(control + sizeof(nint) + sizeof(int)) == Rights;
        if (!hasFiles)
            return false;

        var count = (int)(*(nint*)control - HeadBytes) / sizeof(int);
        var came = new ReadOnlySpan<int>(control + HeadBytes, count);
        if (count == files.Length && (message.Flags & WereCut) == 0 && mark == Mark)
        {
            came.CopyTo(files);
            return true;
        }

        foreach (var file in came)
            Libc.Close(file);
        return false;
    }

    private static int FileOf(Socket socket) => (int)socket.SafeHandle.DangerousGetHandle();

    // CMSG_SPACE: whole words.
    private static nint Aligned(int length) => (length + sizeof(nint) - 1) & ~(sizeof(nint) - 1);
}
