using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace PolyBalance.Tests.Support;

/// <summary>Keeps what is logged: a line is the level's first letter, a blank and the message.</summary>
internal sealed class LogLines : ILogger
{
    private readonly ConcurrentQueue<string> _lines = [];

    /// <summary>Everything so far.</summary>
    public string[] All => [.. _lines];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
        => _lines.Enqueue($"{logLevel.ToString()[0]} {formatter(state, exception)}");
}
