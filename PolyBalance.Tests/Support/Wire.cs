namespace PolyBalance.Tests.Support;

/// <summary>How the far side of a wire ended it.</summary>
internal enum WireEnd
{
    /// <summary>It has not.</summary>
    None,

    /// <summary>In an orderly way: nothing more will come.</summary>
    Closed,

    /// <summary>Abortively: what was under way is visibly cut off.</summary>
    Reset,
}

/// <summary>What one receive brought: bytes, or the end.</summary>
/// <param name="Bytes">How many; 0 at the end.</param>
/// <param name="End">How it ended.</param>
internal readonly record struct WireRead(int Bytes, WireEnd End);

/// <summary>The test's end of one connection to the gateway, over whatever medium. One reader and one writer.</summary>
internal abstract class Wire : IDisposable
{
    /// <summary>Receives what is there.</summary>
    public abstract Task<WireRead> ReceiveAsync(Memory<byte> into);

    /// <summary>Sends all of it. False when the other side takes nothing more.</summary>
    public abstract Task<bool> SendAsync(ReadOnlyMemory<byte> bytes);

    /// <summary>Says that nothing more will be sent; receiving goes on.</summary>
    public abstract void ShutdownOutput();

    /// <summary>Ends the connection in an orderly way.</summary>
    public abstract void Close();

    /// <summary>Ends the connection abortively.</summary>
    public abstract void Reset();

    /// <inheritdoc/>
    public void Dispose() => Close();
}

/// <summary>Where the gateway finds a scripted backend.</summary>
internal interface IWireListener : IDisposable
{
    /// <summary>The address to put into a configuration.</summary>
    string Address { get; }

    /// <summary>The next connection; null once it has stopped.</summary>
    Task<Wire?> AcceptAsync();
}
