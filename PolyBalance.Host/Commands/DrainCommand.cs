using System.Diagnostics;
using System.Text.Json;

namespace PolyBalance.Host.Commands;

/// <summary><c>polybalance drain</c> and <c>resume</c>: one backend leaves without loss, and comes back.</summary>
internal static class DrainCommand
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>Drains a backend, and waits for its end where that is asked for.</summary>
    /// <param name="client">Whom to ask.</param>
    /// <param name="id">Which backend.</param>
    /// <param name="waits">Whether to wait until nothing is in flight there.</param>
    /// <param name="timeout">For how long at most; null: as long as it takes.</param>
    /// <param name="isJson">Print the answer as it is.</param>
    /// <param name="surroundings">Where to print.</param>
    /// <returns>0 when it is done, with <paramref name="waits"/> only once nothing is in flight.</returns>
    public static async Task<int> RunAsync(
        AdminClient client, string id, bool waits, string? timeout, bool isJson, Surroundings surroundings)
    {
        var limit = TimeSpan.MaxValue;
        if (timeout is not null && !Durations.TryParse(timeout, out limit))
        {
            await surroundings.Error.WriteLineAsync(
                $"polybalance: --timeout: `{timeout}` is not a duration; write seconds, or one such as 500ms or 10m");
            return ExitCode.Usage;
        }

        var path = $"admin/backends/{Uri.EscapeDataString(id)}";
        var reply = await client.AskAsync(HttpMethod.Post, $"{path}/drain", "");
        if (!reply.IsFine)
            return isJson ? Replies.Print(reply, surroundings.Output) : Replies.Refuse(reply, surroundings.Error);

        var started = Stopwatch.GetTimestamp();
        var told = -1;
        using var looks = new PeriodicTimer(LookInterval);
        while (true)
        {
            var inFlight = reply.Json.GetProperty("in_flight").GetInt32();
            if (!isJson && inFlight != told)
                await surroundings.Output.WriteLineAsync($"{id} drains: {inFlight} in flight");
            told = inFlight;
            if (!waits || inFlight == 0)
                return isJson ? Replies.Print(reply, surroundings.Output) : Done(waits, id, surroundings);
            if (Stopwatch.GetElapsedTime(started) >= limit)
            {
                await surroundings.Error.WriteLineAsync(
                    $"polybalance: {id} has still {inFlight} in flight after {timeout}; it goes on draining");
                return ExitCode.Refused;
            }

            await looks.WaitForNextTickAsync();
            reply = await client.AskAsync(HttpMethod.Get, path);
            if (!reply.IsFine)
                return Replies.Refuse(reply, surroundings.Error);
            if (reply.Json.GetProperty("drain") is { ValueKind: JsonValueKind.False })
            {
                await surroundings.Error.WriteLineAsync($"polybalance: somebody has resumed {id} meanwhile");
                return ExitCode.Refused;
            }
        }
    }

    /// <summary>Ends a drain.</summary>
    /// <param name="client">Whom to ask.</param>
    /// <param name="id">Which backend.</param>
    /// <param name="isJson">Print the answer as it is.</param>
    /// <param name="surroundings">Where to print.</param>
    public static async Task<int> ResumeAsync(AdminClient client, string id, bool isJson, Surroundings surroundings)
    {
        var reply = await client.AskAsync(
            HttpMethod.Post, $"admin/backends/{Uri.EscapeDataString(id)}/resume", "");
        if (isJson)
            return Replies.Print(reply, surroundings.Output);
        if (!reply.IsFine)
            return Replies.Refuse(reply, surroundings.Error);

        await surroundings.Output.WriteLineAsync(
            $"{id} may have new work again; it is {reply.Json.GetProperty("state").GetString()}: "
            + reply.Json.GetProperty("why").GetString());
        return ExitCode.Fine;
    }

    private static int Done(bool waits, string id, Surroundings surroundings)
    {
        if (waits)
            surroundings.Output.WriteLine($"{id} is drained: nothing is in flight");
        return ExitCode.Fine;
    }
}
