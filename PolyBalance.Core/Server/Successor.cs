using System.Globalization;
using System.Net.Sockets;
using PolyBalance.Telemetry;
using PolyBalance.Transport.Linux;

namespace PolyBalance.Server;

/// <summary>
/// A process that was started to take over from this one, seen from here: it finds us by an address that only it is
/// told, and is given everything over that connection.
/// </summary>
/// <remarks>One caller at a time. See decisions/0044-one-process-hands-over-to-the-next.md.</remarks>
public sealed class Successor : IDisposable
{
    /// <summary>The environment variable that tells a process whom it takes over from.</summary>
    public const string Variable = "POLYBALANCE_PREDECESSOR";

    private readonly Socket _door;
    private HandoverChannel? _channel;

    private Successor(Socket door, string name)
    {
        _door = door;
        Name = name;
    }

    /// <summary>What the environment variable is to say.</summary>
    public string Name { get; }

    /// <summary>The id of the process; 0 before it has come.</summary>
    public int Process { get; private set; }

    /// <summary>The version of the process; empty before it is ready.</summary>
    public string Version { get; private set; } = "";

    /// <summary>Waits for a process that is about to be started. Linux.</summary>
    public static Successor Expect()
    {
        var name = string.Create(
            CultureInfo.InvariantCulture, $"polybalance-{Environment.ProcessId}-{Guid.NewGuid():N}");
        var door = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        door.Bind(new UnixDomainSocketEndPoint("\0" + name));
        door.Listen(1);
        return new(door, name);
    }

    /// <summary>Waits until the process has come; anybody else who comes is sent away.</summary>
    /// <param name="process">The id of what was started: the process, or one that starts it in turn.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task MeetAsync(int process, CancellationToken cancel)
    {
        while (true)
        {
            var came = await _door.AcceptAsync(cancel);
            var isKnown = Libc.TryFindPeer((int)came.SafeHandle.DangerousGetHandle(), out var who, out var user);
            if (isKnown && Ancestry.IsSameOrParent(process, who) && user == Libc.OwnUser())
            {
                Process = who;
                _channel = new(came);
                return;
            }

            came.Dispose();
        }
    }

    /// <summary>Tells it that whoever has to know of it does: it may speak for the gateway from now on.</summary>
    public async Task AcknowledgeAsync(CancellationToken cancel)
        => await Channel.SendAsync(HandoverWord.Acknowledged, cancel);

    /// <inheritdoc/>
    public void Dispose()
    {
        _channel?.Dispose();
        _door.Dispose();
    }

    private HandoverChannel Channel
        => _channel ?? throw new InvalidOperationException("Nobody has come yet.");

    /// <summary>Gives it everything, and waits until it could accept clients.</summary>
    /// <exception cref="HandoverException">It is gone, or says something else.</exception>
    internal async Task PrepareAsync(HandoverState state, IReadOnlyList<Socket> sockets, CancellationToken cancel)
    {
        await Channel.SendAsync(HandoverWord.State, state, HandoverJson.Default.HandoverState, cancel);
        Channel.SendFiles(sockets);
        await ExpectAsync(HandoverWord.Prepared, cancel);
    }

    /// <summary>Has it accept clients, and waits until it does.</summary>
    /// <param name="patience">How long clients may wait, because nobody accepts them yet.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="HandoverException">It is gone, or says something else, or nothing in time.</exception>
    internal async Task GoAsync(TimeSpan patience, CancellationToken cancel)
    {
        await Channel.SendAsync(HandoverWord.Go, cancel);
        using var late = new CancellationTokenSource(patience, TimeProvider.System);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancel);
        try
        {
            var ready = await ExpectAsync(HandoverWord.Ready, either.Token);
            Version = ready.Read(HandoverJson.Default.ReadyReport).Version;
        }
        catch (OperationCanceledException slow) when (!cancel.IsCancellationRequested)
        {
            throw new HandoverException(
                $"The new process accepted no clients within {patience.TotalSeconds} s, and was ended.", slow);
        }
    }

    /// <summary>Tells it what was counted here since the last time.</summary>
    /// <exception cref="HandoverException">It is gone.</exception>
    internal Task TellAsync(Dictionary<string, Dictionary<string, long>> counters, CancellationToken cancel)
        => Channel.SendAsync(
            HandoverWord.Counted, counters, HandoverJson.Default.DictionaryStringDictionaryStringInt64, cancel);

    /// <summary>Tells it which exchanges were kept here since the last time.</summary>
    /// <exception cref="HandoverException">It is gone.</exception>
    internal Task TellAsync(Flight[] flights, CancellationToken cancel)
        => Channel.SendAsync(HandoverWord.Kept, flights, HandoverJson.Default.FlightArray, cancel);

    private async Task<HandoverMessage> ExpectAsync(HandoverWord word, CancellationToken cancel)
    {
        var message = await Channel.ReceiveAsync(cancel)
            ?? throw new HandoverException("The new process has ended before it was ready.");
        return message.Word == word
            ? message
            : throw new HandoverException($"The new process said {message.Word} instead of {word}.");
    }
}
