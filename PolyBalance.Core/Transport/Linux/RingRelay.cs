namespace PolyBalance.Transport.Linux;

/// <summary>
/// A pipe of the kernel between two sockets: content is moved through it by reference. See splice(2).
/// </summary>
/// <remarks>Belongs to a loop, which keeps empty ones for reuse.</remarks>
internal sealed class RingRelay(EventLoop loop, int readEnd, int writeEnd) : Relay
{
    /// <summary>How many file descriptors one holds.</summary>
    public const int Files = 2;

    private const int BytesPerCall = 1 << 20;

    /// <summary>Whose receives go here.</summary>
    public RingConnection? Source { get; set; }

    /// <summary>Moves what has arrived at a socket into the pipe. Only while nothing is held.</summary>
    /// <returns>
    /// As recv(2): how much; 0 at the end; negative when nothing is there, or the connection is broken.
    /// </returns>
    public nint Fill(int file)
    {
        var count = Libc.Splice(file, writeEnd, (nint)Math.Min(Wanted, BytesPerCall), hasMore: false);
        if (count <= 0)
            return count;

        Held = (int)count;
        Wanted -= count;
        return count;
    }

    /// <summary>Moves what is held to a socket, as much as there is room for.</summary>
    /// <returns>As send(2).</returns>
    public nint Drain(int file)
    {
        var count = Libc.Splice(readEnd, file, Held, hasMore: Wanted > 0);
        if (count > 0)
            Held -= (int)count;
        return count;
    }

    /// <inheritdoc/>
    public override void Close()
    {
        if (Source is not { } source)
            return;

        Source = null;
        source.EndRelay();
        if (!loop.TryKeep(this))
            CloseFiles();
    }

    /// <summary>Gives the pipe back to the system.</summary>
    public void CloseFiles()
    {
        Held = 0;
        Libc.Close(readEnd);
        Libc.Close(writeEnd);
        loop.Files.Return(Files);
    }
}
