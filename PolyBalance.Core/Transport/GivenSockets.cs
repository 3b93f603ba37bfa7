using System.Globalization;
using System.Net;
using System.Net.Sockets;
using PolyBalance.Transport.Linux;

namespace PolyBalance.Transport;

/// <summary>
/// Listening sockets that were there before the listeners: systemd has made them and keeps them (sd_listen_fds(3)), so
/// that clients who connect while no gateway runs wait for the next one; or another process has handed them over.
/// </summary>
/// <remarks>
/// A listener borrows the sockets of its address. It returns what others hold too when it ends, and neither closes nor
/// shuts it down. One caller at a time.
/// </remarks>
public sealed class GivenSockets : IDisposable
{
    /// <summary>No socket was given.</summary>
    public static GivenSockets None => new();

    private const int FirstFile = 3;            // SD_LISTEN_FDS_START
    private const int FilesMax = 256;

    private static readonly string[] Variables = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"];

    private readonly List<GivenSocket> _free = [];

    /// <summary>The addresses of those that somebody keeps and nobody here borrows, for people.</summary>
    public IReadOnlyList<string> Unused
        => _free.FindAll(one => one.IsKept).ConvertAll(one => NameOf(one.Socket.LocalEndPoint));

    /// <summary>
    /// Takes those that systemd gives to this process, as <c>LISTEN_FDS</c> and <c>LISTEN_PID</c> say. The variables
    /// are removed, and the files are closed in programs that the process starts: they are for nobody else.
    /// </summary>
    /// <param name="variable">Looks up environment variables.</param>
    /// <exception cref="ListenException">What was given cannot be listened on. The message says what to do.</exception>
    public static GivenSockets FromSystemd(Func<string, string?> variable)
    {
        ArgumentNullException.ThrowIfNull(variable);
        var forWhom = variable(Variables[0]);
        var count = variable(Variables[1]);
        if (!OperatingSystem.IsLinux() || count is null or "0"
            || forWhom != Environment.ProcessId.ToString(CultureInfo.InvariantCulture))
        {
            return None;
        }

        if (!int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var files) || files > FilesMax)
        {
            throw new ListenException(
                $"LISTEN_FDS says `{count}`: a number up to {FilesMax} is expected. "
                + "Start the gateway by its socket unit.");
        }

        foreach (var name in Variables)
            Environment.SetEnvironmentVariable(name, null);
        var given = new GivenSockets();
        for (var file = FirstFile; file < FirstFile + files; file++)
        {
            Libc.CloseInPrograms(file);
            var socket = Take(file);
            given.Add(socket, NameOf(socket.LocalEndPoint), isKept: true);
        }

        return given;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var given in _free)
            given.Socket.Dispose();
        _free.Clear();
    }

    /// <summary>Takes a listening socket over.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="name">The address that it was asked to listen on, as text; its port may be 0.</param>
    /// <param name="isKept">Whether somebody else keeps it.</param>
    internal void Add(Socket socket, string name, bool isKept) => _free.Add(new(socket, name, isKept));

    /// <summary>
    /// All that listen on an address; null, when none was given. They are shared until <see
    /// cref="ListeningSockets.Own"/>: whoever has given them may still need them.
    /// </summary>
    internal ListeningSockets? Borrow(EndPoint address)
    {
        // Several may have asked for any port: each gets one.
        var name = NameOf(address);
        if (_free.Find(one => one.Name == name) is not { } first)
            return null;

        var place = NameOf(first.Socket.LocalEndPoint);
        var found = _free.FindAll(one => one.Name == name && NameOf(one.Socket.LocalEndPoint) == place);
        _free.RemoveAll(found.Contains);
        var borrowed = new ListeningSockets(
            address, [.. found.ConvertAll(one => one.Socket)], found.Exists(one => one.IsKept));
        borrowed.Share();
        return borrowed;
    }

    /// <summary>Ends <see cref="Borrow"/>.</summary>
    internal void Return(ListeningSockets sockets)
    {
        foreach (var socket in sockets.All)
            Add(socket, NameOf(sockets.Address), sockets.AreKept);
    }

    /// <summary>
    /// Closes those that nobody borrows and nobody else keeps: no client waits there for somebody who does not come.
    /// </summary>
    internal void CloseUnused()
    {
        foreach (var (socket, _, isKept) in _free)
        {
            if (!isKept)
                new ListeningSockets(socket.LocalEndPoint!, [socket], areKept: false).Close();
        }

        _free.RemoveAll(one => !one.IsKept);
    }

    private static Socket Take(int file)
    {
        try
        {
            var socket = new Socket(new SafeSocketHandle(file, ownsHandle: true));
            var listens = socket.SocketType == SocketType.Stream && socket.LocalEndPoint is not null
                && (int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.AcceptConnection)! != 0;
            if (!listens)
                throw Unfit(file, null);

            if (socket.ProtocolType == ProtocolType.Tcp)
                StreamSocket.Tune(socket);
            return socket;
        }
        catch (SocketException failure)
        {
            throw Unfit(file, failure);
        }
    }

    private static ListenException Unfit(int file, Exception? failure) => new(
        $"The file descriptor {file} that LISTEN_FDS names is no listening stream socket. "
        + "Use ListenStream= in the socket unit, and Accept=no.",
        failure);

    // Unix sockets have no port, and two end points of one path are not equal.
    private static string NameOf(EndPoint? address) => address?.ToString() ?? "";

    private sealed record GivenSocket(Socket Socket, string Name, bool IsKept);
}
