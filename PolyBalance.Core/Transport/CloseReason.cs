namespace PolyBalance.Transport;

/// <summary>Why a connection ended. The first reason wins; what follows from it is not recorded.</summary>
internal enum CloseReason : byte
{
    /// <summary>It has not ended.</summary>
    None,

    /// <summary>The peer will send nothing more (FIN).</summary>
    PeerClosed,

    /// <summary>The peer reset the connection, or the network lost it.</summary>
    PeerReset,

    /// <summary>We closed it in an orderly way.</summary>
    Closed,

    /// <summary>We gave it up in the middle of something.</summary>
    Aborted,

    /// <summary>The peer took nothing for longer than the write timeout.</summary>
    WriteTimedOut,

    /// <summary>It was not established in time.</summary>
    ConnectTimedOut,

    /// <summary>The drain deadline passed.</summary>
    ShutDown,
}
