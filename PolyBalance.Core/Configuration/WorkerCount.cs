namespace PolyBalance.Configuration;

/// <summary>How many threads serve clients. Config key <c>workers</c>.</summary>
internal static class WorkerCount
{
    /// <summary>More than this no machine has use for.</summary>
    public const int Max = 256;

    /// <summary>What may be written.</summary>
    public static readonly ConfigForm Form = Quantity.CountForm(1, Max).Or("auto", $"auto|1..{Max}");

    /// <summary>Reads <c>auto</c> (null) or a count.</summary>
    public static Parsed<int?> Parse(string text)
    {
        if (text == "auto")
            return default(int?);

        var count = Quantity.Count(text, 1, Max);
        return count.Flaw is null
            ? count.Value
            : new Flaw($"{Flaw.Show(text)} is no number of workers", $"write `auto`, or a number from 1 to {Max}");
    }
}
