namespace PolyBalance.Transport;

/// <summary>
/// The transport that the configuration asks for is not to be had. The message is a sentence for the operator, with the
/// remedy.
/// </summary>
public sealed class TransportException : Exception
{
    /// <summary>Says what is in the way and what to do.</summary>
    public TransportException(string message)
        : base(message)
    {
    }

    /// <summary>Needed by the pattern for exceptions.</summary>
    public TransportException()
    {
    }

    /// <summary>Needed by the pattern for exceptions.</summary>
    public TransportException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
