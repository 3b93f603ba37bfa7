namespace PolyBalance.Server;

/// <summary>One process could not hand over to another one. The message is a sentence for the operator.</summary>
/// <param name="message">What went wrong, and what became of it.</param>
/// <param name="cause">What the system said, if it did.</param>
public sealed class HandoverException(string message, Exception? cause = null) : Exception(message, cause);
