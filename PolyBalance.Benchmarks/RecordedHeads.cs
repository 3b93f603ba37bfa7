namespace PolyBalance.Benchmarks;

/// <summary>
/// Heads as real clients and backends send them, byte for byte; Heads/README.md says where each came from.
/// </summary>
internal static class RecordedHeads
{
    private const string RequestFolder = "Requests/";
    private const string ResponseFolder = "Responses/";

    /// <summary>Names of the recorded request heads, in the order of the alphabet.</summary>
    public static IEnumerable<string> Requests => NamesIn(RequestFolder);

    /// <summary>Names of the recorded response heads, in the order of the alphabet.</summary>
    public static IEnumerable<string> Responses => NamesIn(ResponseFolder);

    /// <summary>One request head, the empty line included.</summary>
    public static byte[] Request(string name) => Read(RequestFolder + name);

    /// <summary>One response head, the empty line included.</summary>
    public static byte[] Response(string name) => Read(ResponseFolder + name);

    private static IEnumerable<string> NamesIn(string folder)
        => typeof(RecordedHeads).Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(folder, StringComparison.Ordinal))
            .Select(name => name[folder.Length..])
            .Order(StringComparer.Ordinal);

    private static byte[] Read(string name)
    {
        using var stream = typeof(RecordedHeads).Assembly.GetManifestResourceStream(name)
            ?? throw new ArgumentException($"There is no recorded head {name}.", nameof(name));
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
