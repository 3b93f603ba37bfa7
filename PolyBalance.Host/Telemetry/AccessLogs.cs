using Microsoft.Extensions.Logging;
using PolyBalance.Configuration;

namespace PolyBalance.Host.Telemetry;

/// <summary>The access log in use, and the one that takes its place when a reload asks for another.</summary>
/// <remarks>One caller at a time, except for <see cref="Reopen"/>: any thread.</remarks>
internal sealed class AccessLogs(ILogger logger) : IDisposable
{
    private volatile AccessLog? _current;
    private LoggingOptions? _options;
    private AccessLog? _prepared;
    private string _preparedName = "off";

    /// <summary>The log in use; null: there is none.</summary>
    public AccessLog? Current => _current;

    /// <summary>What it is, for messages: <c>json on stdout</c>.</summary>
    public string Name { get; private set; } = "off";

    /// <summary>Opens what the options ask for, unless it is open already.</summary>
    /// <returns>A sentence without period that says what is in the way, and one that says what to do; null: nothing.
    /// </returns>
    public (string Problem, string Remedy)? Prepare(LoggingOptions options)
    {
        _prepared?.Dispose();
        _prepared = null;
        if (IsOpen(options) || options.Access == AccessLogFormat.Off)
            return null;

        try
        {
            var output = options.AccessPath is { } path ? AccessOutput.ToFile(path) : AccessOutput.ToStandardOutput();
            var isJson = options.Access == AccessLogFormat.Json;
            _preparedName = $"{(isJson ? "json" : "combined")} on {output.Name}";
            _prepared = new AccessLog(
                isJson ? new JsonAccessFormat() : new CombinedAccessFormat(), output, logger, TimeProvider.System);
            return null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return ($"the access log {options.AccessPath} cannot be opened: {failure.Message.TrimEnd('.')}",
                "make its folder, let polybalance's user write there, or set logging.access_path to stdout");
        }
    }

    /// <summary>From now on what was prepared last is in use. The log so far is closed by what this returns.</summary>
    /// <param name="options">What was prepared.</param>
    /// <returns>Ends the log so far, once nobody writes to it any more; null: it goes on.</returns>
    public AccessLog? Adopt(LoggingOptions options)
    {
        if (IsOpen(options))
            return null;

        var former = _current;
        (_current, Name) = (_prepared, _prepared is null ? "off" : _preparedName);
        _prepared = null;
        _options = options;
        return former;
    }

    /// <summary>Opens the log's file anew, for whoever has moved it away.</summary>
    public void Reopen() => _current?.Reopen();

    /// <inheritdoc/>
    public void Dispose()
    {
        _prepared?.Dispose();
        _current?.Dispose();
    }

    private bool IsOpen(LoggingOptions options)
        => _options is { } open && open.Access == options.Access
            && (open.Access == AccessLogFormat.Off || open.AccessPath == options.AccessPath);
}
