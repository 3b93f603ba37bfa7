using System.CommandLine;
using System.Globalization;
using System.Text;
using PolyBalance.Configuration;

namespace PolyBalance.Host.Help;

/// <summary>What shells complete the command line by, made from the commands themselves.</summary>
internal static class CompletionScripts
{
    /// <summary>The shells that there is a script for.</summary>
    public static readonly IReadOnlyList<string> Shells = ["bash", "zsh", "fish"];

    /// <summary>The script for one of <see cref="Shells"/>.</summary>
    /// <param name="shell">Which.</param>
    /// <param name="root">The whole command tree.</param>
    public static string For(string shell, RootCommand root) => shell switch
    {
        "bash" => ForBash(root),
        "zsh" => ForZsh(root),
        _ => ForFish(root),
    };

    private static string ForBash(RootCommand root)
    {
        var text = new StringBuilder(
            """
            # polybalance completion bash > /usr/share/bash-completion/completions/polybalance
            _polybalance() {
                local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" words=""
                COMPREPLY=()
                case "$before" in

            """);
        foreach (var option in root.Subcommands.SelectMany(OptionsOf).DistinctBy(one => one.Name))
        {
            if (TakesFile(option))
                Add($"        {option.Name}) compopt -o filenames; COMPREPLY=($(compgen -f -- \"$word\")); return ;;");
            else if (ValuesOf(option) is { } values)
                Add($"        {option.Name}) COMPREPLY=($(compgen -W \"{values}\" -- \"$word\")); return ;;");
            else if (option.HelpName is not null)
                Add($"        {option.Name}) return ;;");
        }

        Add("    esac");
        Add("    if [ \"$COMP_CWORD\" -eq 1 ]; then");
        Add($"        words=\"{string.Join(' ', root.Subcommands.Select(one => one.Name))} --help --version\"");
        Add("    else");
        Add("        case \"${COMP_WORDS[1]}\" in");
        foreach (var command in root.Subcommands)
        {
            var words = OptionsOf(command).Select(one => one.Name).Append("--help").Concat(WordsOf(command));
            Add($"            {command.Name}) words=\"{string.Join(' ', words)}\" ;;");
        }

        Add("        esac");
        Add("    fi");
        Add("    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))");
        Add("}");
        Add("complete -F _polybalance polybalance");
        return text.ToString();

        void Add(string line) => text.Append(line).Append('\n');
    }

    private static string ForZsh(RootCommand root)
    {
        var text = new StringBuilder(
            """
            #compdef polybalance
            # polybalance completion zsh > "${fpath[1]}/_polybalance"
            _polybalance() {
                local -a commands
                commands=(

            """);
        foreach (var command in root.Subcommands)
            Add($"        '{command.Name}:{Quoted(command.Description)}'");
        Add("    )");
        Add("    if (( CURRENT == 2 )); then");
        Add("        _describe -t commands command commands");
        Add("        return");
        Add("    fi");
        Add("    local command=\"${words[2]}\"");
        Add("    shift words");
        Add("    (( CURRENT-- ))");
        Add("    case \"$command\" in");
        foreach (var command in root.Subcommands)
        {
            var words = string.Join(' ', WordsOf(command));
            var arguments = OptionsOf(command).Select(one =>
                $"'{one.Name}[{Quoted(one.Description)}]{ValueOf(one)}'");
            if (words.Length > 0)
                arguments = arguments.Append($"'1:shell:({words})'");
            Add($"        {command.Name}) _arguments {string.Join(' ', arguments.Append("'--help[Show help]'"))} ;;");
        }

        Add("    esac");
        Add("}");
        Add("compdef _polybalance polybalance");
        return text.ToString();

        void Add(string line) => text.Append(line).Append('\n');

        string ValueOf(Option option) => option.HelpName is null ? ""
            : TakesFile(option) ? $":{option.HelpName}:_files"
            : ValuesOf(option) is { } values ? $":{option.HelpName}:({values})"
            : $":{option.HelpName}:";

        string Quoted(string? description) => (description ?? "").Replace("'", "'\\''", StringComparison.Ordinal)
            .Replace("[", "\\[", StringComparison.Ordinal).Replace("]", "\\]", StringComparison.Ordinal)
            .Replace(":", "\\:", StringComparison.Ordinal);
    }

    private static string ForFish(RootCommand root)
    {
        var text = new StringBuilder(
            """
            # polybalance completion fish > ~/.config/fish/completions/polybalance.fish
            complete -c polybalance -f

            """);
        foreach (var command in root.Subcommands)
        {
            Add($"-n __fish_use_subcommand -a {command.Name} -d '{Quoted(command.Description)}'");
            var here = $"-n '__fish_seen_subcommand_from {command.Name}'";
            foreach (var word in WordsOf(command))
                Add($"{here} -a {word}");
            foreach (var option in OptionsOf(command))
            {
                var value = option.HelpName is null ? ""
                    : TakesFile(option) ? " -r -F"
                    : ValuesOf(option) is { } values ? $" -x -a '{values}'"
                    : " -x";
                Add($"{here} -l {option.Name[2..]}{value} -d '{Quoted(option.Description)}'");
            }
        }

        return text.ToString();

        void Add(string line)
            => text.Append(CultureInfo.InvariantCulture, $"complete -c polybalance {line}\n");

        string Quoted(string? description) => (description ?? "").Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("'", "\\'", StringComparison.Ordinal);
    }

    private static IEnumerable<Option> OptionsOf(Command command)
        => command.Options.Where(one => one.Name.StartsWith("--", StringComparison.Ordinal));

    private static IEnumerable<string> WordsOf(Command command) => command.Name == "completion" ? Shells : [];

    private static bool TakesFile(Option option) => option.HelpName == "FILE";

    private static string? ValuesOf(Option option)
        => option.Name == "--strategy" ? string.Join(' ', ClusterOptions.Algorithms) : null;
}
