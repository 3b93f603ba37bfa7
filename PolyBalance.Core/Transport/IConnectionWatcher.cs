namespace PolyBalance.Transport;

/// <summary>Wants to know when something arrives on a connection that nobody reads from.</summary>
internal interface IConnectionWatcher
{
    /// <summary>Bytes, the end of the connection or a reset arrived while no read was pending.</summary>
    /// <remarks>
    /// Any thread; may come once more, late, after <see cref="Connection.Unwatch"/>. Must not block and must not read.
    /// </remarks>
    /// <param name="ended">The peer will send nothing more; <see langword="false"/>: bytes are there.</param>
    void OnInput(bool ended);
}
