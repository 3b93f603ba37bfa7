using PolyBalance.Configuration;
using PolyBalance.Telemetry;

namespace PolyBalance.Server;

/// <summary>
/// Where a gateway's configuration comes from, so that it can be read again, and what outside of the gateway follows
/// it.
/// </summary>
/// <remarks>One caller at a time.</remarks>
public interface IConfigSource
{
    /// <summary>What messages call it: the file's name.</summary>
    string Name { get; }

    /// <summary>
    /// Spans of traces that what follows the configuration could not keep or send, since the start. Any thread.
    /// </summary>
    long SpansDropped => 0;

    /// <summary>Reads the configuration as it is now, with what overrides it. Never throws.</summary>
    /// <param name="isToApply">
    /// Whether it is to be taken up, if it can be; otherwise somebody only wants to know what is there.
    /// </param>
    ConfigResult Read(bool isToApply);

    /// <summary>Reads a configuration that somebody has sent, as if it were in the file. Never throws.</summary>
    /// <param name="text">YAML or JSON.</param>
    /// <param name="name">What errors call it.</param>
    ConfigResult Parse(string text, string name);

    /// <summary>
    /// Makes ready what a configuration needs outside of the gateway, such as the file of a log, and changes nothing.
    /// </summary>
    /// <param name="options">What is about to apply.</param>
    /// <returns>What is in the way, and what to do about it; null: nothing.</returns>
    ConfigError? Prepare(ProxyOptions options);

    /// <summary>The configuration that was prepared last is in force: follows it. Cannot fail.</summary>
    /// <param name="options">What applies.</param>
    /// <returns>Who hears of exchanges from now on; null: nobody.</returns>
    IExchangeSink? Adopt(ProxyOptions options);
}
