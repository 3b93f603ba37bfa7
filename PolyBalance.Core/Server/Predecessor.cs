using System.Net.Sockets;
using PolyBalance.Telemetry;
using PolyBalance.Transport;
using PolyBalance.Transport.Linux;

namespace PolyBalance.Server;

/// <summary>
/// The process that this one takes over from, seen from here: it has started us, gives us its listening sockets and
/// what it knows, and goes on serving until we are prepared.
/// </summary>
/// <remarks>One caller at a time. See decisions/0044-one-process-hands-over-to-the-next.md.</remarks>
public sealed class Predecessor : IDisposable
{
    private readonly HandoverChannel _channel;
    private readonly string _version;

    private Predecessor(HandoverChannel channel, string version, HandoverState state, GivenSockets sockets)
    {
        _channel = channel;
        _version = version;
        State = state;
        Sockets = sockets;
    }

    /// <summary>Its listening sockets. Whoever disposes this disposes them.</summary>
    public GivenSockets Sockets { get; }

    /// <summary>Its process id.</summary>
    public int Process { get; private init; }

    /// <summary>What it knows.</summary>
    internal HandoverState State { get; }

    /// <summary>
    /// Finds it, if there is one, and takes over what it gives. The environment variable is removed: it is for nobody
    /// else.
    /// </summary>
    /// <param name="variable">Looks up environment variables.</param>
    /// <param name="version">The version of this process, which the other one tells the operator.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>Null: nobody was here before.</returns>
    /// <exception cref="HandoverException">It is not there, or is somebody else. The message is for the
    /// operator.</exception>
    public static async Task<Predecessor?> FindAsync(
        Func<string, string?> variable, string version, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(variable);
        if (!OperatingSystem.IsLinux() || variable(Successor.Variable) is not { Length: > 0 } name)
            return null;

        Environment.SetEnvironmentVariable(Successor.Variable, null);
        return await FindAsync(name, version, Libc.Parent(), cancel);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _channel.Dispose();
        Sockets.Dispose();
    }

    /// <summary>The same, of any process.</summary>
    /// <param name="name">What <see cref="Successor.Name"/> said.</param>
    /// <param name="version">The version of this process.</param>
    /// <param name="process">Who it has to be, or who it has to have started.</param>
    /// <param name="cancel">Gives up.</param>
    internal static async Task<Predecessor> FindAsync(
        string name, string version, int process, CancellationToken cancel)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var channel = new HandoverChannel(socket);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint("\0" + name), cancel);
            if (!Libc.TryFindPeer((int)socket.SafeHandle.DangerousGetHandle(), out var who, out var user)
                || !Ancestry.IsSameOrParent(who, process) || user != Libc.OwnUser())
            {
                throw new HandoverException("It was not started by the process that it is to take over from.");
            }

            return await TakeAsync(channel, version, who, cancel);
        }
        catch (SocketException failure)
        {
            channel.Dispose();
            throw new HandoverException("The process to take over from is gone.", failure);
        }
        catch
        {
            channel.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Tells it that clients can be accepted here, and waits until it accepts none any more. One that is gone accepts
    /// none either.
    /// </summary>
    internal async Task TakeTurnAsync(CancellationToken cancel)
    {
        try
        {
            await _channel.SendAsync(HandoverWord.Prepared, cancel);
            await _channel.ReceiveAsync(cancel);
        }
        catch (HandoverException)
        {
            // It has crashed, and its clients wait for us.
        }
    }

    /// <summary>Tells it that clients are accepted here, and waits until we may speak for the gateway.</summary>
    internal async Task ReportReadyAsync(CancellationToken cancel)
    {
        try
        {
            await _channel.SendAsync(
                HandoverWord.Ready, new(_version), HandoverJson.Default.ReadyReport, cancel);
            await _channel.ReceiveAsync(cancel);
        }
        catch (HandoverException)
        {
            // Nobody is left who could mind.
        }
    }

    /// <summary>Follows what it still counts and keeps, until it has ended.</summary>
    /// <param name="counted">Takes in what it counts.</param>
    /// <param name="kept">Takes in what it keeps.</param>
    /// <param name="cancel">Ends it earlier.</param>
    internal async Task FollowAsync(
        Action<Dictionary<string, Dictionary<string, long>>> counted, Action<Flight[]> kept, CancellationToken cancel)
    {
        try
        {
            while (await _channel.ReceiveAsync(cancel) is { } message)
                TakeIn(message, counted, kept);
        }
        catch (Exception end) when (end is OperationCanceledException or HandoverException)
        {
            // What it would have said is lost with it.
        }
    }

    // What another version says in other words is left alone.
    private static void TakeIn(
        in HandoverMessage message, Action<Dictionary<string, Dictionary<string, long>>> counted, Action<Flight[]> kept)
    {
        try
        {
            if (message.Word == HandoverWord.Counted)
                counted(message.Read(HandoverJson.Default.DictionaryStringDictionaryStringInt64));
            else if (message.Word == HandoverWord.Kept)
                kept(message.Read(HandoverJson.Default.FlightArray));
        }
        catch (HandoverException)
        {
            // The next message may be readable.
        }
    }

    private static async Task<Predecessor> TakeAsync(
        HandoverChannel channel, string version, int process, CancellationToken cancel)
    {
        var message = await channel.ReceiveAsync(cancel)
            ?? throw new HandoverException("The process to take over from has given nothing.");
        if (message.Word != HandoverWord.State)
            throw new HandoverException($"The process to take over from said {message.Word} first.");

        var state = message.Read(HandoverJson.Default.HandoverState);
        if (state.Format != HandoverState.OwnFormat)
        {
            throw new HandoverException(
                $"The running version hands over in format {state.Format}, and this one knows "
                + $"{HandoverState.OwnFormat}. Restart the gateway instead.");
        }

        var files = await channel.ReceiveFilesAsync(state.Sockets.Count, cancel);
        var sockets = new GivenSockets();
        foreach (var (file, about) in files.Zip(state.Sockets))
            sockets.Add(file, about.Address, about.IsKept);
        return new(channel, version, state, sockets) { Process = process };
    }
}
