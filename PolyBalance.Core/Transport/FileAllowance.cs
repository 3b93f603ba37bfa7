using System.Globalization;

namespace PolyBalance.Transport;

/// <summary>
/// How many file descriptors connections may hold, those of clients and those to backends together, and how many they
/// hold now.
/// </summary>
/// <remarks>
/// A process without a single one left dies: the runtime needs one to start a thread, and ends the process when it
/// cannot. So <see cref="Limits.FilesReserved"/> are never given to connections. One interlocked operation when a
/// connection opens and one when its file is closed; none per request. Any thread.
/// </remarks>
internal sealed class FileAllowance
{
    private int _open;
    private int _listening;
    private int _arriving;
    private long _clientsRefused;
    private long _connectsRefused;

    /// <summary>Begins to count.</summary>
    /// <param name="limit">How many files this process may have open; null: as many as it likes.</param>
    public FileAllowance(int? limit = null)
    {
        Limit = limit;
        // A limit so low that the reserve would be most of it: then connections get a quarter.
        Max = limit is { } files ? Math.Max(1, Math.Max(files - Limits.FilesReserved, files / 4)) : int.MaxValue;
        ClientsMax = Max - (Max / 4);
    }

    /// <summary>How many files this process may have open; null: as many as it likes.</summary>
    public int? Limit { get; }

    /// <summary>How many of them connections may hold.</summary>
    public int Max { get; }

    /// <summary>How many clients may be served at once: what they leave is for connections to backends.</summary>
    public int ClientsMax { get; }

    /// <summary>How many are held now.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>Whether more are held than may be: somebody who was just accepted has to go.</summary>
    public bool IsExceeded => Open > Max;

    /// <summary>Whether there are some for what is merely useful, and certainly for one more client.</summary>
    public bool HasSpare => Open <= ClientsMax;

    /// <summary>Whether hardly any is left.</summary>
    public bool IsShort => Max - Open <= Max / 16;

    /// <summary>
    /// Whether everybody who may be waiting at our listening sockets can be accepted without a look in between.
    /// </summary>
    public bool HasRoomForAll => Max - Open > (long)Volatile.Read(ref _listening) * Limits.BacklogMax;

    /// <summary>Who was not served, or not connected to, for want of file descriptors since the start.</summary>
    public FileRefusals Refusals => new(Interlocked.Read(ref _clientsRefused), Interlocked.Read(ref _connectsRefused));

    /// <summary>Starts with the limit of this process. Only Linux tells one.</summary>
    public static FileAllowance OfProcess()
        => new(OperatingSystem.IsLinux() ? SoftLimitIn(File.ReadLines("/proc/self/limits")) : null);

    /// <summary>What the kernel says in <c>/proc/self/limits</c>. Null: there is none.</summary>
    /// <remarks>The runtime has raised the soft limit to the hard one before any of our code runs.</remarks>
    public static int? SoftLimitIn(IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            if (!line.StartsWith("Max open files", StringComparison.Ordinal))
                continue;

            var soft = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3];
            return int.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : null;
        }

        return null;
    }

    /// <summary>Counts files that are open already, whether or not there was room for them.</summary>
    public void Add(int files = 1) => Interlocked.Add(ref _open, files);

    /// <summary>Counts listening sockets more, or fewer.</summary>
    public void AddListening(int change)
    {
        Interlocked.Add(ref _listening, change);
        Add(change);
    }

    /// <summary>Counts clients more, or fewer, who are counted already but on their way to who admits them.</summary>
    public void AddArriving(int change) => Interlocked.Add(ref _arriving, change);

    /// <summary>Takes one, for a connection to a backend that is about to be made.</summary>
    public bool TryTake() => TryTake(1, Max);

    /// <summary>Takes some for what is merely useful. False when there are none to spare.</summary>
    public bool TryTakeSpare(int files) => TryTake(files, ClientsMax);

    /// <summary>Gives back what was counted or taken. The files are closed, or will be next.</summary>
    public void Return(int files = 1) => Interlocked.Add(ref _open, -files);

    /// <summary>Whether a client that has just been accepted, and counted, can be served.</summary>
    /// <param name="clients">How many are served.</param>
    public bool TryAdmit(int clients)
    {
        if (clients + Volatile.Read(ref _arriving) < ClientsMax && !IsExceeded)
            return true;

        ReportClientRefused();
        return false;
    }

    /// <summary>A client had to wait or to go, because the system gave no file descriptor.</summary>
    public void ReportClientRefused() => Interlocked.Increment(ref _clientsRefused);

    /// <summary>A connection to a backend was not made, because there was no file descriptor.</summary>
    public void ReportConnectRefused() => Interlocked.Increment(ref _connectsRefused);

    private bool TryTake(int files, int max)
    {
        if (Interlocked.Add(ref _open, files) <= max)
            return true;

        Return(files);
        return false;
    }
}

/// <summary>What could not be done for want of file descriptors, counted since the start.</summary>
/// <param name="Clients">Clients that were refused, or kept waiting.</param>
/// <param name="Connects">Connections to backends that were not made.</param>
internal readonly record struct FileRefusals(long Clients, long Connects);
