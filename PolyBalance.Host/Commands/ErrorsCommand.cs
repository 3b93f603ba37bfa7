using System.Globalization;
using System.Text.Json;

namespace PolyBalance.Host.Commands;

/// <summary><c>polybalance errors</c>: what went wrong lately, the latest last, where a terminal shows it.</summary>
internal static class ErrorsCommand
{
    /// <summary>Prints it.</summary>
    /// <param name="client">Whom to ask.</param>
    /// <param name="isJson">Print the answer as it is.</param>
    /// <param name="surroundings">Where to print.</param>
    public static async Task<int> RunAsync(AdminClient client, bool isJson, Surroundings surroundings)
    {
        var reply = await client.AskAsync(HttpMethod.Get, "admin/errors");
        if (isJson)
            return Replies.Print(reply, surroundings.Output);
        if (!reply.IsFine)
            return Replies.Refuse(reply, surroundings.Error);

        var output = surroundings.Output;
        var exchanges = reply.Json.GetProperty("exchanges");
        foreach (var exchange in exchanges.EnumerateArray().Reverse())
        {
            var reason = Text(exchange, "reason");
            await output.WriteLineAsync(
                $"{Text(exchange, "time")} {Text(exchange, "client_ip")} {Text(exchange, "method")} "
                + $"{Text(exchange, "host")}{Text(exchange, "path")} {Text(exchange, "status")} "
                + $"{(reason.Length == 0 ? "-" : reason)} {Time(exchange, "latency_ms")} "
                + Text(exchange, "request_id"));
            foreach (var attempt in exchange.GetProperty("attempts").EnumerateArray())
            {
                var failed = Text(attempt, "reason");
                await output.WriteLineAsync(
                    $"    {Text(attempt, "backend")} {(failed.Length == 0 ? Text(attempt, "status") : failed)} "
                    + Time(attempt, "duration_ms"));
            }
        }

        if (exchanges.GetArrayLength() == 0)
            await output.WriteLineAsync("none since the start: nothing failed, and nothing took a second to answer");
        if (reply.Json.GetProperty("not_kept").GetInt64() is var more and > 0)
            await output.WriteLineAsync($"{more} more were too many in one second to be kept");
        return ExitCode.Fine;
    }

    private static string Text(JsonElement of, string key) => of.GetProperty(key).ToString();

    private static string Time(JsonElement of, string key)
        => string.Create(CultureInfo.InvariantCulture, $"{of.GetProperty(key).GetDouble():0.0} ms");
}
