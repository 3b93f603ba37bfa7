using System.Net;
using System.Net.Sockets;

namespace PolyBalance.Transport;

/// <summary>The sockets that listen on one address, and whose they are.</summary>
/// <remarks>One owner, who hands them to a listener and gets them back at its end.</remarks>
/// <param name="address">Where they listen.</param>
/// <param name="sockets">The sockets; at least one.</param>
/// <param name="areKept">Somebody else keeps them for us, as systemd does: they are always shared.</param>
internal sealed class ListeningSockets(EndPoint address, Socket[] sockets, bool areKept)
{
    private volatile bool _areShared = areKept;

    /// <summary>All of them.</summary>
    public Socket[] All => sockets;

    /// <summary>Whether somebody else keeps them, and will when nobody uses them here.</summary>
    public bool AreKept { get; } = areKept;

    /// <summary>
    /// Whether others hold them too: then they are left as they are at the end. Else the end shuts them down, and
    /// whoever waits in their queues is refused.
    /// </summary>
    public bool AreShared => _areShared;

    /// <summary>Where they were asked to listen.</summary>
    public EndPoint Address => address;

    /// <summary>Where they listen; with the real port where the system chose one.</summary>
    public EndPoint LocalEndPoint => sockets[0].LocalEndPoint ?? address;

    /// <summary>Another process holds them too: one that takes over, or the one before. Any thread.</summary>
    public void Share() => _areShared = true;

    /// <summary>Nobody else needs them any more, unless somebody keeps them. Any thread.</summary>
    public void Own() => _areShared = AreKept;

    /// <summary>Closes them, unless they are shared; the file of a Unix socket goes with them.</summary>
    public void Close()
    {
        if (_areShared)
            return;

        foreach (var socket in sockets)
            socket.Dispose();
        if (address is UnixDomainSocketEndPoint)
            File.Delete(address.ToString()!);
    }
}
