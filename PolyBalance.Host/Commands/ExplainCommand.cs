using System.Text.Json;

namespace PolyBalance.Host.Commands;

/// <summary><c>polybalance explain</c>: where a request would go now, and why nowhere else.</summary>
internal static class ExplainCommand
{
    private static readonly string[] Columns = ["", "BACKEND", "ADDRESS", "STATE", "IN FLIGHT", "WHY"];
    private static readonly int[] RightAligned = [4];

    private static readonly (string Key, string Title)[] Titles =
        [("algorithm", "picked by"), ("key", "hashed by"), ("session", "session:")];

    /// <summary>Asks the gateway and prints what it says.</summary>
    /// <param name="client">Whom to ask.</param>
    /// <param name="request"><c>METHOD URL</c>, or a URL or path alone.</param>
    /// <param name="lines">Field lines.</param>
    /// <param name="address">The client's address; null: that of this machine.</param>
    /// <param name="isJson">Print the answer as it is.</param>
    /// <param name="surroundings">Where to print.</param>
    public static async Task<int> RunAsync(
        AdminClient client, string request, string[] lines, string? address, bool isJson, Surroundings surroundings)
    {
        var space = request.Trim().IndexOf(' ', StringComparison.Ordinal);
        var asked = new Dictionary<string, object>
        {
            ["method"] = space < 0 ? "GET" : request.Trim()[..space],
            ["url"] = space < 0 ? request.Trim() : request.Trim()[(space + 1)..].Trim(),
            ["headers"] = lines,
        };
        if (address is not null)
            asked["client_ip"] = address;

        var reply = await client.AskAsync(HttpMethod.Post, "admin/explain", Write(asked));
        if (isJson)
            return Replies.Print(reply, surroundings.Output);
        if (!reply.IsFine)
            return Replies.Refuse(reply, surroundings.Error);

        Print(reply.Json, surroundings.Output);
        return ExitCode.Fine;
    }

    private static string Write(Dictionary<string, object> asked)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            foreach (var (key, value) in asked)
            {
                writer.WritePropertyName(key);
                if (value is string text)
                {
                    writer.WriteStringValue(text);
                    continue;
                }

                writer.WriteStartArray();
                foreach (var line in (string[])value)
                    writer.WriteStringValue(line);
                writer.WriteEndArray();
            }

            writer.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void Print(JsonElement told, TextWriter output)
    {
        output.WriteLine(Text(told, "request"));
        foreach (var route in told.GetProperty("routes").EnumerateArray())
        {
            var why = route.TryGetProperty("why", out var difference) ? $"no: {difference}" : "taken";
            output.WriteLine($"  route {Text(route, "route")} -> {Text(route, "cluster")}: {why}");
        }

        foreach (var (key, title) in Titles)
        {
            if (Text(told, key) is { Length: > 0 } value)
                output.WriteLine($"  {title} {value}");
        }

        output.WriteLine();
        output.WriteLine(Sentence(told));
        if (told.GetProperty("drawn").GetBoolean())
            output.WriteLine("Chance has a part in it: the next request may go elsewhere, by the odds below.");
        if (told.GetProperty("backends").GetArrayLength() > 0)
            PrintBackends(told, output);
    }

    private static string Sentence(JsonElement told) => Text(told, "decision") switch
    {
        "send" => $"It goes to {Text(told, "backend")}: {Text(told, "why")}.",
        "wait" => $"It waits: {Text(told, "why")}.",
        _ when Text(told, "reason").Length == 0 => $"It goes nowhere: {Text(told, "why")}.",
        _ => $"It is refused with {Text(told, "status")} ({Text(told, "reason")}): {Text(told, "why")}.",
    };

    private static void PrintBackends(JsonElement told, TextWriter output)
    {
        output.WriteLine();
        var rows = new List<string[]> { Columns };
        foreach (var backend in told.GetProperty("backends").EnumerateArray())
        {
            rows.Add(
            [
                backend.GetProperty("chosen").GetBoolean() ? "->" : "", Text(backend, "id"), Text(backend, "address"),
                Text(backend, "state"), Text(backend, "in_flight"), Text(backend, "why"),
            ]);
        }

        Replies.WriteColumns(rows, output, RightAligned);
        output.WriteLine();
        output.WriteLine($"Retries: {Text(told, "retries")}.");
        var next = told.GetProperty("then").EnumerateArray().Select(one => one.GetString()).ToArray();
        if (next.Length > 0)
            output.WriteLine($"Should it fail, next: {string.Join(", then ", next)}.");
    }

    private static string Text(JsonElement of, string key) => of.GetProperty(key).ToString();
}
