using System.CommandLine;
using System.Globalization;
using System.Text;

namespace PolyBalance.Host;

/// <summary>
/// What people who operate the executable depend on, as stable text that a test compares with <c>surface/*.txt</c>.
/// </summary>
internal static class Surface
{
    /// <summary>Commands and flags: the content of <c>surface/cli.txt</c>.</summary>
    public static string DescribeCommandLine()
    {
        var text = new StringBuilder();
        var root = CommandLine.Build(Surroundings.OfProcess([]));
        Describe(text, "polybalance", root);
        foreach (var command in root.Subcommands)
            Describe(text, $"polybalance {command.Name}", command);
        return text.ToString();
    }

    /// <summary>Exit codes: the content of <c>surface/exit-codes.txt</c>.</summary>
    public static string DescribeExitCodes() => ExitCode.Describe();

    private static void Describe(StringBuilder text, string name, Command command)
    {
        text.Append(CultureInfo.InvariantCulture, $"{name}: {command.Description}\n");
        foreach (var argument in command.Arguments)
            text.Append(CultureInfo.InvariantCulture, $"  {argument.Name}: {argument.Description}\n");
        foreach (var option in command.Options)
        {
            var spellings = string.Join(", ", [option.Name, .. option.Aliases.Order(StringComparer.Ordinal)]);
            var value = option.HelpName is null ? "" : $" {option.HelpName}";
            text.Append(CultureInfo.InvariantCulture, $"  {spellings}{value}: {option.Description}\n");
        }

        text.Append('\n');
    }
}
