using System.Net;
using System.Net.Sockets;

namespace PolyBalance.Benchmarks.Compare;

/// <summary>What every part of one comparison shares: folders, the backends' addresses, where progress goes.</summary>
/// <param name="folder">For everything that is thrown away.</param>
/// <param name="output">For results and the configurations that were used.</param>
/// <param name="progress">Where lines for the user go.</param>
internal sealed class Workbench(string folder, string output, ComparisonProgress progress)
{
    // Below the range from which systems take the ports of outgoing connections.
    private const int FirstPort = 20_000;
    private const int LastPort = 32_000;

    /// <summary>For everything that is thrown away.</summary>
    public string Folder => folder;

    /// <summary>For results and the configurations that were used.</summary>
    public string Output => output;

    /// <summary>Where lines for the user go.</summary>
    public ComparisonProgress Progress => progress;

    /// <summary>Addresses of the two backends, known before any proxy starts.</summary>
    public IReadOnlyList<string> Backends { get; set; } = [];

    /// <summary>As many workers or threads as processors, for every proxy.</summary>
    public static int Workers => Environment.ProcessorCount;

    /// <summary>A folder below the one that is thrown away.</summary>
    public string MakeFolder(string name)
        => Directory.CreateDirectory(Path.Combine(folder, $"{name}-{Path.GetRandomFileName()}")).FullName;

    /// <summary>Writes a configuration where its program reads it, and a copy beside the results.</summary>
    /// <returns>The path for the program.</returns>
    public async Task<string> WriteAsync(string inFolder, string name, string content, CancellationToken stop)
    {
        var copies = Directory.CreateDirectory(Path.Combine(output, "settings")).FullName;
        await File.WriteAllTextAsync(Path.Combine(copies, name), content, stop);
        var path = Path.Combine(inFolder, name);
        await File.WriteAllTextAsync(path, content, stop);
        return path;
    }

    /// <summary>A port on 127.0.0.1 that nobody listened on a moment ago.</summary>
    public static int FreePort()
    {
        while (true)
        {
            var port = Random.Shared.Next(FirstPort, LastPort);
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException)
            {
                // Taken: another one.
            }
        }
    }
}
