using System.Text.Json;
using PolyBalance.Host.Configuration;

namespace PolyBalance.Host.Commands;

/// <summary><c>polybalance reload</c> and <c>polybalance plan</c>: what another configuration changes.</summary>
internal static class ReloadCommand
{
    private static readonly (string Key, string Title)[] Lists =
    [
        ("added", "added:"), ("removed", "removed:"), ("changed", "changed:"),
        ("needs_restart", "takes effect at the next start:"),
        ("runtime_kept", "changed at run time, and still so:"),
        ("runtime_superseded", "changed at run time, and no more because the file says it:"),
    ];

    /// <summary>Has the gateway take up what is in its file.</summary>
    /// <param name="client">Whom to ask.</param>
    /// <param name="text">Not used by a reload; for a plan, what would be in the file.</param>
    /// <param name="isJson">Print the answer as it is.</param>
    /// <param name="surroundings">Where to print.</param>
    public static async Task<int> RunAsync(AdminClient client, string? text, bool isJson, Surroundings surroundings)
    {
        var reply = text is null
            ? await client.AskAsync(HttpMethod.Post, "admin/reload", "")
            : await client.AskAsync(HttpMethod.Post, "admin/plan", text);
        if (isJson)
            return Replies.Print(reply, surroundings.Output);
        if (!reply.IsFine)
            return Replies.Refuse(reply, surroundings.Error);

        Show(reply.Json, surroundings.Output);
        foreach (var warning in reply.Json.GetProperty("warnings").EnumerateArray())
            await surroundings.Error.WriteLineAsync($"warning: {warning.GetProperty("message").GetString()}");
        return ExitCode.Fine;
    }

    /// <summary>Shows what a reload would do.</summary>
    /// <param name="client">Whom to ask.</param>
    /// <param name="file">What to compare with; null: what the gateway would read itself.</param>
    /// <param name="isJson">Print the answer as it is.</param>
    /// <param name="surroundings">Files, and where to print.</param>
    public static async Task<int> PlanAsync(AdminClient client, string? file, bool isJson, Surroundings surroundings)
    {
        if (file is null)
            return await RunAsync(client, "{}", isJson, surroundings);

        var code = ConfigFile.TryRead(file, isNeeded: true, surroundings, out var config, out var problem);
        if (code != ExitCode.Fine)
        {
            await surroundings.Error.WriteLineAsync($"polybalance: {problem}");
            return code;
        }

        using var content = new MemoryStream();
        using (var writer = new Utf8JsonWriter(content))
        {
            writer.WriteStartObject();
            writer.WriteString("config", config.Text);
            writer.WriteString("name", config.Name);
            writer.WriteEndObject();
        }

        return await RunAsync(
            client, System.Text.Encoding.UTF8.GetString(content.ToArray()), isJson, surroundings);
    }

    private static void Show(JsonElement answer, TextWriter output)
    {
        var isApplied = answer.GetProperty("applied").GetBoolean();
        var changes = 0;
        foreach (var (key, title) in Lists)
        {
            var list = answer.GetProperty(key);
            changes += key.StartsWith("runtime", StringComparison.Ordinal) ? 0 : list.GetArrayLength();
            Replies.WriteList(title, list, output);
        }

        foreach (var leaving in answer.GetProperty("draining").EnumerateArray())
        {
            var does = isApplied ? "finishes" : "would finish";
            output.WriteLine($"backend {leaving.GetProperty("cluster")}/{leaving.GetProperty("backend")} {does} "
                + $"what it has: {leaving.GetProperty("in_flight")} in flight");
        }

        var kept = answer.GetProperty("kept").GetArrayLength();
        var what = changes == 0 ? "nothing differs" : $"{kept} unchanged, connections and all";
        output.WriteLine(isApplied
            ? $"reloaded: generation {answer.GetProperty("generation")}; {what}"
            : $"planned, and nothing done; {what}");
    }
}
