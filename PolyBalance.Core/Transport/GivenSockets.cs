using System.Globalization;
using System.Net;
using System.Net.Sockets;
using PolyBalance.Transport.Linux;

namespace PolyBalance.Transport;

/// <summary>
/// Listening sockets that somebody else made and keeps: clients who connect while no gateway runs wait there for the
/// next one. systemd gives them to the process (sd_listen_fds(3)).
/// </summary>
/// <remarks>
/// A listener borrows the sockets of its address and returns them when it ends; it neither closes nor shuts down what
/// others hold too. One caller at a time.
/// </remarks>
public sealed class GivenSockets : IDisposable
{
    /// <summary>No socket was given.</summary>
    public static readonly GivenSockets None = new();

    private const int FirstFile = 3;            // SD_LISTEN_FDS_START
    private const int FilesMax = 256;

    private static readonly string[] Variables = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"];

    private readonly List<Socket> _free;

    /// <summary>Takes listening sockets over.</summary>
    internal GivenSockets(params ReadOnlySpan<Socket> sockets) => _free = [.. sockets];

    /// <summary>The addresses of those that nobody borrows, for people.</summary>
    public IReadOnlyList<string> Unused => _free.ConvertAll(socket => NameOf(socket.LocalEndPoint));

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
            given._free.Add(Take(file));
        }

        return given;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var socket in _free)
            socket.Dispose();
        _free.Clear();
    }

    /// <summary>All that listen on an address; none, when none was given.</summary>
    internal Socket[] Borrow(EndPoint address)
    {
        var name = NameOf(address);
        var found = _free.FindAll(socket => NameOf(socket.LocalEndPoint) == name);
        _free.RemoveAll(found.Contains);
        return [.. found];
    }

    /// <summary>Ends <see cref="Borrow"/>.</summary>
    internal void Return(Socket[] sockets) => _free.AddRange(sockets);

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
}
