using System.Globalization;
using System.Text.Json;

namespace PolyBalance.Host.Commands;

/// <summary><c>polybalance status</c>: every backend in one line.</summary>
internal static class StatusCommand
{
    private static readonly string[] Titles =
        ["CLUSTER", "BACKEND", "ADDRESS", "STATE", "WEIGHT", "IN FLIGHT", "REQUESTS", "FAILED", "P50", "P99", "WHY"];

    private static readonly int[] RightAligned = [4, 5, 6, 7, 8, 9];

    /// <summary>Prints it.</summary>
    /// <param name="client">Whom to ask.</param>
    /// <param name="isJson">Print the answer as it is.</param>
    /// <param name="output">Where to.</param>
    /// <returns>An <see cref="ExitCode"/>: 0 also when backends are down.</returns>
    public static async Task<int> RunAsync(AdminClient client, bool isJson, TextWriter output)
    {
        var reply = await client.AskAsync(HttpMethod.Get, "admin/backends");
        if (isJson || !reply.IsFine)
            return Replies.Print(reply, output);

        var rows = new List<string[]> { Titles };
        foreach (var backend in reply.Json.GetProperty("backends").EnumerateArray())
        {
            rows.Add(
            [
                Text(backend, "cluster"), Text(backend, "id"), Text(backend, "address"), Text(backend, "state"),
                Text(backend, "weight"), Text(backend, "in_flight"), Text(backend, "requests"),
                Text(backend, "failures"), Time(backend, "latency_p50_ms"), Time(backend, "latency_p99_ms"),
                Text(backend, "why"),
            ]);
        }

        Replies.WriteColumns(rows, output, RightAligned);
        var drift = await client.AskAsync(HttpMethod.Get, "admin/config/drift");
        var count = drift.IsFine ? drift.Json.GetProperty("changes").GetArrayLength() : 0;
        await output.WriteLineAsync();
        await output.WriteLineAsync($"configuration: generation {Text(reply.Json, "generation")}"
            + (count == 0 ? ", as the file was when it was read" : $", and {count} changed at run time:"));
        if (count > 0)
            Replies.WriteList("", drift.Json.GetProperty("changes"), output);
        return ExitCode.Fine;
    }

    private static string Text(JsonElement of, string key) => of.GetProperty(key).ToString();

    private static string Time(JsonElement of, string key)
        => of.GetProperty(key) is { ValueKind: JsonValueKind.Number } time
            ? string.Create(CultureInfo.InvariantCulture, $"{time.GetDouble():0.0} ms")
            : "-";
}
