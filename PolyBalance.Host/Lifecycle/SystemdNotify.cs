using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace PolyBalance.Host.Lifecycle;

/// <summary>
/// Tells systemd how far the process has come: one datagram to the socket that it names in <c>NOTIFY_SOCKET</c>
/// (sd_notify(3)).
/// </summary>
/// <remarks>Nothing here fails: without systemd, or with a socket that is gone, the process works as well.</remarks>
internal sealed class SystemdNotify
{
    private volatile string? _path;

    /// <summary>Finds out whether there is somebody to tell.</summary>
    /// <param name="variable">Looks up environment variables.</param>
    public SystemdNotify(Func<string, string?> variable)
    {
        // "/path" is a file, "@name" an abstract socket; other kinds (vsock) are for virtual machines.
        if (variable("NOTIFY_SOCKET") is { Length: > 1 } path && path[0] is '/' or '@')
            _path = path[0] == '@' ? "\0" + path[1..] : path;
        WatchdogPeriod = PeriodIn(variable);
    }

    /// <summary>
    /// How often <see cref="Alive"/> is to be said: half of what systemd waits for it. Null: it does not ask for it.
    /// </summary>
    public TimeSpan? WatchdogPeriod { get; }

    /// <summary>Whether there is somebody to tell.</summary>
    public bool IsThere => _path is not null;

    /// <summary>Every listener is bound: units ordered after this one may start. Also ends a reload.</summary>
    /// <param name="status">For people, one line.</param>
    public void Ready(string status) => Send($"READY=1\nSTATUS={status}");

    /// <summary>A reload begins.</summary>
    public void Reloading()
    {
        // Linux counts the same clock for both.
        var now = Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1_000_000);
        Send(string.Create(CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={now}\nSTATUS=Reloading"));
    }

    /// <summary>
    /// Another process of the unit is the gateway from now on: from here on systemd listens to that one, and nothing
    /// more is said here.
    /// </summary>
    /// <param name="process">Its id.</param>
    public void HandOver(int process)
    {
        Send(string.Create(CultureInfo.InvariantCulture, $"MAINPID={process}"));
        _path = null;
    }

    /// <summary>The process has begun to drain.</summary>
    public void Stopping(string status) => Send($"STOPPING=1\nSTATUS={status}");

    /// <summary>What it does now, for people, one line.</summary>
    public void Status(string status) => Send($"STATUS={status}");

    /// <summary>The process does its work.</summary>
    public void Alive() => Send("WATCHDOG=1");

    private static TimeSpan? PeriodIn(Func<string, string?> variable)
    {
        var isForUs = variable("WATCHDOG_PID") is not { Length: > 0 } process
            || process == Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        return isForUs
            && long.TryParse(
                variable("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds)
            && microseconds > 0
            ? TimeSpan.FromMicroseconds(microseconds / 2.0)
            : null;
    }

    private void Send(string message)
    {
        if (_path is not { } path)
            return;

        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(path));
            socket.Send(Encoding.UTF8.GetBytes(message));
        }
        catch (Exception failure) when (failure is SocketException or ArgumentException)
        {
            // The unit's own start timeout tells the operator; there is nobody else to tell.
        }
    }
}
