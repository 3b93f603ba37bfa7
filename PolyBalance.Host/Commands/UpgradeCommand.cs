namespace PolyBalance.Host.Commands;

/// <summary>
/// <c>polybalance upgrade</c>: the running gateway starts its executable anew, and that process takes over.
/// </summary>
internal static class UpgradeCommand
{
    /// <summary>Has the gateway do it, and waits until it is done.</summary>
    /// <param name="client">Whom to ask.</param>
    /// <param name="isJson">Print the answer as it is.</param>
    /// <param name="surroundings">Where to print.</param>
    public static async Task<int> RunAsync(AdminClient client, bool isJson, Surroundings surroundings)
    {
        var reply = await client.AskAsync(HttpMethod.Post, "admin/upgrade", "");
        if (isJson)
            return Replies.Print(reply, surroundings.Output);
        if (!reply.IsFine)
            return Replies.Refuse(reply, surroundings.Error);

        await surroundings.Output.WriteLineAsync(
            $"upgraded: process {reply.Json.GetProperty("process")} ({reply.Json.GetProperty("version").GetString()}) "
            + "serves new clients; the one before finishes what it has");
        return ExitCode.Fine;
    }
}
