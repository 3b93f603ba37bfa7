using System.Text.Json;

namespace PolyBalance.Host.Commands;

/// <summary>How answers of the gateway look on a terminal.</summary>
internal static class Replies
{
    /// <summary>Prints an answer as it is.</summary>
    /// <returns>0, or the exit code for what was refused.</returns>
    public static int Print(AdminReply reply, TextWriter output)
    {
        output.Write(reply.Text);
        if (reply.Text.Length == 0)
            output.WriteLine($"the gateway answered {reply.Status}");
        return reply.IsFine ? ExitCode.Fine : ExitCode.Refused;
    }

    /// <summary>Says why something was not done: every error in a line of its own.</summary>
    /// <returns>The exit code for what was refused.</returns>
    public static int Refuse(AdminReply reply, TextWriter error)
    {
        var isKnown = reply.Json.ValueKind == JsonValueKind.Object;
        if (isKnown && reply.Json.TryGetProperty("errors", out var errors))
        {
            foreach (var one in errors.EnumerateArray())
                error.WriteLine(one.GetProperty("message").GetString());
        }
        else
        {
            var text = isKnown && reply.Json.TryGetProperty("error", out var sentence)
                ? sentence.GetString()
                : "what answers there is no PolyBalance of this version";
            error.WriteLine($"polybalance: {text} ({reply.Status})");
        }

        return ExitCode.Refused;
    }

    /// <summary>Prints a list of lines under a title, unless it is empty.</summary>
    /// <param name="title">Above them; empty: none.</param>
    /// <param name="lines">A JSON array of texts.</param>
    /// <param name="output">Where to.</param>
    public static void WriteList(string title, JsonElement lines, TextWriter output)
    {
        if (lines.GetArrayLength() == 0)
            return;

        if (title.Length > 0)
            output.WriteLine(title);
        foreach (var line in lines.EnumerateArray())
            output.WriteLine($"  {line.GetString()}");
    }

    /// <summary>Prints rows as columns that are as wide as they need to be.</summary>
    /// <param name="rows">The titles first; all of one length.</param>
    /// <param name="output">Where to.</param>
    /// <param name="rightAligned">Columns of numbers, from 0.</param>
    public static void WriteColumns(IReadOnlyList<string[]> rows, TextWriter output, int[] rightAligned)
    {
        var widths = new int[rows[0].Length];
        foreach (var row in rows)
        {
            for (var column = 0; column < row.Length; column++)
                widths[column] = Math.Max(widths[column], row[column].Length);
        }

        foreach (var row in rows)
        {
            var cells = row.Select((text, column) => rightAligned.Contains(column) ? text.PadLeft(widths[column])
                : text.PadRight(widths[column]));
            output.WriteLine(string.Join("  ", cells).TrimEnd());
        }
    }
}
