namespace PolyBalance.Transport;

/// <summary>An address cannot be listened on. The message is a sentence for the operator, with the remedy.</summary>
public sealed class ListenException : Exception
{
    /// <summary>Says what went wrong and what to do.</summary>
    public ListenException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>Needed by the pattern for exceptions.</summary>
    public ListenException()
    {
    }

    /// <summary>Needed by the pattern for exceptions.</summary>
    public ListenException(string message)
        : base(message)
    {
    }
}
