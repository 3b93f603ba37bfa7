using System.Globalization;

namespace PolyBalance.Configuration;

/// <summary>
/// One thing in the configuration that is wrong, or that deserves a warning: where, what, and what to write instead.
/// </summary>
/// <param name="File">The file as the user named it; or the flag or variable that holds the value.</param>
/// <param name="Line">1-based; 0 when the value comes from a flag or variable.</param>
/// <param name="Column">1-based; 0 when the value comes from a flag or variable.</param>
/// <param name="Problem">What is wrong, without a period.</param>
/// <param name="Remedy">What to do about it, without a period; may be empty.</param>
public sealed record ConfigError(string File, int Line, int Column, string Problem, string Remedy)
{
    /// <summary>The line that a user reads: <c>file:line:column: problem; remedy</c>.</summary>
    public override string ToString()
    {
        var where = Line == 0 ? File : string.Create(CultureInfo.InvariantCulture, $"{File}:{Line}:{Column}");
        return Remedy.Length == 0 ? $"{where}: {Problem}" : $"{where}: {Problem}; {Remedy}";
    }
}
