using System.Text.RegularExpressions;

namespace PolyBalance.Tests.Documents;

/// <summary>A line of a block that readers are to type.</summary>
/// <param name="Place">Page and line.</param>
/// <param name="Text">The line without the remark behind it.</param>
internal sealed record TypedLine(string Place, string Text)
{
    /// <summary>The programs that it starts, in their order.</summary>
    public IEnumerable<string> Programs
        => Regex.Split(Text, "&&|[|;]").Select(part => part.Trim().Split(' ')[0]);

    /// <summary>The lines of a block.</summary>
    public static IEnumerable<TypedLine> Of(CodeBlock block)
        => block.Text.Split('\n').Index()
            .Select(line => new TypedLine(
                $"{block.Page}:{block.Line + 1 + line.Index}", Regex.Replace(line.Item, @"(^|\s)#.*$", "").Trim()))
            .Where(line => line.Text.Length > 0);
}
