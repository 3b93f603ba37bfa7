namespace PolyBalance.Transport;

/// <summary>What one receive brought.</summary>
/// <param name="Block">The bytes, handed over with the block; null when nothing came, or it went into a relay.</param>
/// <param name="Reason">Why nothing more will come; <see cref="CloseReason.None"/> when bytes came.</param>
internal readonly record struct Received(Block? Block, CloseReason Reason);

/// <summary>What became of one send.</summary>
/// <param name="Succeeded">Everything was taken.</param>
/// <param name="Bytes">How much was taken.</param>
internal readonly record struct Sent(bool Succeeded, long Bytes);

/// <summary>The receiving half of what a connection runs over: a socket, a ring, memory.</summary>
internal interface IReceiver
{
    /// <summary>Starts one receive; there is never a second one at the same time.</summary>
    /// <param name="large">Many bytes are expected: use a large block.</param>
    /// <param name="idle">Nothing is expected soon: hold no block until something is there.</param>
    /// <param name="received">The outcome, when it is there at once.</param>
    /// <returns>
    /// <see langword="false"/> when <see cref="ConnectionInput.OnReceived"/> will be called with the outcome, on any
    /// thread, possibly before this returns.
    /// </returns>
    bool TryReceive(bool large, bool idle, out Received received);

    /// <summary>Has a read that was woken go on where continuations of this medium belong: by default, here.</summary>
    void Resume(ConnectionInput input) => input.Continue();
}

/// <summary>The sending half of what a connection runs over.</summary>
internal interface ISender
{
    /// <summary>Sends all pieces, in their order; there is never a second send at the same time.</summary>
    /// <param name="pieces">What to send. Stays unchanged until the send has completed.</param>
    /// <param name="sent">The outcome, when it is there at once.</param>
    /// <returns>
    /// <see langword="false"/> when <see cref="ConnectionOutput.OnSent"/> will be called with the outcome, on any
    /// thread, possibly before this returns.
    /// </returns>
    bool TrySend(List<ArraySegment<byte>> pieces, out Sent sent);

    /// <summary>Sends what a relay holds; see the other one.</summary>
    bool TryPass(Relay relay, out Sent sent)
        => throw new NotSupportedException("This medium has no relays.");
}
