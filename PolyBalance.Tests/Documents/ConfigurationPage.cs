using System.Text;
using System.Text.RegularExpressions;
using PolyBalance.Configuration;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Documents;

/// <summary>
/// <c>docs/configuration.md</c>: what the readers say of their keys, section by section, with the examples of
/// <c>Documents/Examples</c>.
/// </summary>
internal static class ConfigurationPage
{
    private const string Opening =
        """
        # Configuration

        Every key of `polybalance.yaml`: its default, what may be written, and what it is for. This page is made from
        the code that reads the keys, so it says what your version does; `polybalance schema` prints the same for
        editors, and `polybalance check` names every mistake in a file with line, column and remedy.

        The file is YAML, or JSON with the same keys. The smallest one:

        ```yaml
        listeners:
          - bind: ":8000"
        clusters:
          web:
            backends: [ "10.0.0.11:8080", "10.0.0.12:8080" ]
        ```

        - **Durations** have a unit: `500ms`, `10s`, `1h30m`. **Sizes** are bytes or have one: `64KiB`, `10MiB`,
          `1GB`. **Percentages** have their sign. **Status ranges** are such as `200-399` or `200,204`.
        - **`off`** turns a section off whose values say so. A section that is not written has all its defaults.
        - **Variables**: `${NAME}` in a value is what the environment has, `${NAME:-default}` the default where it has
          nothing. One that is missing is an error.
        - **Unknown keys**, keys that are written twice and names that lead nowhere are errors, not ignored.

        A flag counts more than a variable, a variable more than the file, the file more than the default:

        | flag of `run` | variable | instead of |
        |---|---|---|
        | `--port` | `POLYBALANCE_PORT` | all `listeners`: this port of every address |
        | `--backends` | `POLYBALANCE_BACKENDS` | `backends` of the only cluster; without a file, that cluster |
        | `--strategy` | `POLYBALANCE_STRATEGY` | `algorithm` of every cluster |
        | `--health-interval` | `POLYBALANCE_HEALTH_INTERVAL` | `health.interval` of every cluster |
        | `--health-timeout` | `POLYBALANCE_HEALTH_TIMEOUT` | `health.timeout` of every cluster |
        | `--backend-timeout` | `POLYBALANCE_BACKEND_TIMEOUT` | `timeouts.response` of every cluster |

        Which limits end in which answer is in [operating.md](operating.md#limits-and-timeouts), and what nginx and
        HAProxy call these keys in [migration.md](migration.md). An example below is a piece of a file: what it leaves
        out is as in the smallest one.

        """;

    private static readonly IReadOnlyList<ConfigKey> Keys = ConfigReference.Keys();

    private static readonly ILookup<string, ConfigKey> InSection =
        Keys.ToLookup(key => key.Section, StringComparer.Ordinal);

    private static readonly List<ConfigKey> Sections = [.. Keys.Where(IsSection)];

    /// <summary>The paths of all sections, such as <c>clusters.&lt;name&gt;.pool</c>.</summary>
    public static IEnumerable<string> SectionPaths => Sections.Select(section => section.Path);

    /// <summary>The page.</summary>
    public static string Write()
    {
        var page = new StringBuilder(Opening);
        page.Append("\n## The whole file\n\n");
        Table(page, "");
        foreach (var section in Sections)
        {
            page.Append($"\n{(section.Section.Length == 0 ? "##" : "###")} `{section.Path}`\n\n{Lead(section)}\n\n");
            if (File.Exists(ExampleOf(section.Path)))
                page.Append($"```yaml\n{File.ReadAllText(ExampleOf(section.Path))}```\n\n");
            if (Twin(section) is { } twin)
                page.Append($"It has the keys of {Link(twin.Path)}.\n");
            else
                Table(page, section.Inside);
        }

        return page.ToString();
    }

    /// <summary>Where the example of a section is, if there is one.</summary>
    /// <param name="section">The path of the section.</param>
    public static string ExampleOf(string section) => Repository.PathOf(
        "PolyBalance.Tests", "Documents", "Examples", section.Replace(".<name>", "") + ".yaml");

    private static bool IsSection(ConfigKey key)
        => key.Kind is KeyKind.Section or KeyKind.SectionOrOff or KeyKind.Items or KeyKind.Entries;

    private static string Lead(ConfigKey section)
    {
        var lead = new StringBuilder(Plain(section.Purpose));
        lead.Append(section.Kind switch
        {
            KeyKind.SectionOrOff when section.Default == "off" => " Off unless it is written.",
            KeyKind.SectionOrOff => " `off` turns it off.",
            KeyKind.Items => " A list; each element has these keys.",
            KeyKind.Entries => " Under each name stand these keys.",
            _ => "",
        });
        if (section.Shorthand is { } only)
            lead.Append($" An element may also be the value of `{only}` alone.");
        return lead.ToString();
    }

    // A section whose keys are described above, word for word.
    private static ConfigKey? Twin(ConfigKey section)
        => Sections.TakeWhile(other => other != section).FirstOrDefault(other =>
            InSection[other.Inside].Select(Row).SequenceEqual(InSection[section.Inside].Select(Row)));

    private static void Table(StringBuilder page, string section)
    {
        page.Append("| key | default | values | what it is for |\n|---|---|---|---|\n");
        foreach (var key in InSection[section])
            page.Append(Row(key));
    }

    private static string Row(ConfigKey key)
    {
        var values = IsSection(key) ? $"[{Kind(key)}](#{Anchor(key.Path)})" : Values(key);
        return $"| `{key.Name}` | {Default(key)} | {values} | {Plain(key.Purpose)} |\n";
    }

    private static string Default(ConfigKey key)
        => key.IsRequired ? "required"
            : key.Alternatives.Count > 0
                ? $"one of {string.Join(", ", key.Alternatives.Select(other => $"`{other}`"))}"
            : key.Default is { } shown ? $"`{shown}`" : "–";

    private static string Kind(ConfigKey key) => key.Kind switch
    {
        KeyKind.SectionOrOff => "section, or `off`",
        KeyKind.Items => "list of sections",
        KeyKind.Entries => "sections by name",
        _ => "section",
    };

    private static string Values(ConfigKey key)
    {
        var form = key.Form!;
        var words = form.Words.Contains('|', StringComparison.Ordinal)
            ? string.Join(", ", form.Words.Split('|').Select(way => IsWritten(way, form) ? $"`{way}`" : way))
            : Regex.Replace(form.Words, @"\S*[*\[\]:]\S*( value\S*)?|\boff\b", part => $"`{part.Value}`");
        return key.Kind switch
        {
            KeyKind.List => $"list of {words}",
            KeyKind.Pairs => $"mapping of {words}",
            _ => words,
        };
    }

    // As it stands, or with a name put in; all else tells what to write.
    private static bool IsWritten(string way, ConfigForm form)
        => form.Choices.Contains(way) || form.Bare == BareValue.Truth || way.Contains(':', StringComparison.Ordinal);

    private static string Link(string section) => $"[`{section}`](#{Anchor(section)})";

    // As GitHub names a heading: letters, digits, `_` and `-`, in lower case.
    private static string Anchor(string section) => Regex.Replace(section, "[^a-z0-9_-]", "");

    private static string Plain(string sentence)
        => sentence.Replace("*", @"\*", StringComparison.Ordinal).Replace("|", @"\|", StringComparison.Ordinal)
            .Replace("<", @"\<", StringComparison.Ordinal);
}
