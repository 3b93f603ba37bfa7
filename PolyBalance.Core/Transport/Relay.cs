namespace PolyBalance.Transport;

/// <summary>
/// Where content waits between two connections without having come into our memory: received from the one, not yet sent
/// to the other.
/// </summary>
/// <remarks>
/// Made by <see cref="Connection.TryOpenRelay"/>. Until it is closed, what the source receives goes here instead of
/// into blocks. Belongs to the flow that moves the content.
/// </remarks>
internal abstract class Relay
{
    /// <summary>How much more the source may receive into it. Unit: bytes.</summary>
    public long Wanted { get; set; }

    /// <summary>What was received and is not sent yet. Unit: bytes.</summary>
    public int Held { get; protected set; }

    /// <summary>The source receives into blocks again. What is still held is lost.</summary>
    public abstract void Close();
}
