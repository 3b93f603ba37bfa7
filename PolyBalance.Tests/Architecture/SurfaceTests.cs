using System.Reflection;
using System.Text;
using Microsoft.Extensions.Logging;
using NUnit.Framework;
using PolyBalance.Admin;
using PolyBalance.Configuration;
using PolyBalance.Host;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Architecture;

/// <summary>
/// What people who operate PolyBalance depend on is written down in PolyBalance.Host/surface, so that it changes on
/// purpose only. Lines that start with <c># retired</c> name what is gone and may not come back with another meaning.
/// </summary>
internal sealed class SurfaceTests
{
    private const string Update = "POLYBALANCE_UPDATE_SURFACE";
    private const string Retired = "# retired ";

    [TestCase("config-keys.txt")]
    [TestCase("cli.txt")]
    [TestCase("exit-codes.txt")]
    [TestCase("log-events.txt")]
    [TestCase("metrics.txt")]
    [TestCase("polybalance.schema.json")]
    [TestCase("admin.openapi.json")]
    public void The_operators_interface_is_what_is_written_down(string name)
    {
        var path = Repository.PathOf("PolyBalance.Host", "surface", name);
        var current = CurrentLines(name);
        if (Environment.GetEnvironmentVariable(Update) == "1")
            Rewrite(path, name, current);

        Assert.That(File.Exists(path), $"{name} is missing; run the tests with {Update}=1 to write it");
        var written = File.ReadAllLines(path).Where(line => !IsRetired(line)).ToList();

        Assert.That(current, Is.EqualTo(written),
            $"""
            What operators see differs from PolyBalance.Host/surface/{name}.
              only in the file: {Only(written, current)}
              only in the code: {Only(current, written)}
            If that is intended: run the tests with {Update}=1, read the difference, and tell operators in
            PolyBalance.Host/CHANGELOG.md.
            """);
    }

    [Test]
    public void Every_surface_file_is_compared()
    {
        var files = Repository.Files("PolyBalance.Host/surface", "*").Select(Path.GetFileName);
        string[] compared =
        [
            "config-keys.txt", "cli.txt", "exit-codes.txt", "log-events.txt", "metrics.txt", "polybalance.schema.json",
            "admin.openapi.json",
        ];

        Assert.That(files, Is.EquivalentTo(compared));
    }

    [Test]
    public void Log_event_ids_are_unique_and_none_comes_back_from_retirement()
    {
        var ids = LogEvents().Select(message => message.Event.EventId).ToList();
        var retired = RetiredLines(Repository.PathOf("PolyBalance.Host", "surface", "log-events.txt"))
            .Select(line => int.Parse(line[Retired.Length..].Split(' ')[0], provider: null));

        Assert.That(ids, Is.Unique);
        Assert.That(ids, Has.None.AnyOf(retired.Cast<object>().Append(0).ToArray()));
    }

    private static List<string> CurrentLines(string name) => name switch
    {
        "config-keys.txt" => Lines(ConfigReference.Describe()),
        "cli.txt" => Lines(Surface.DescribeCommandLine()),
        "exit-codes.txt" => Lines(Surface.DescribeExitCodes()),
        "metrics.txt" => Lines(MetricFamilies.Describe()),
        "admin.openapi.json" => Lines(Encoding.UTF8.GetString(OpenApi.Content.Span) + "\n"),
        "polybalance.schema.json" => Lines(ConfigSchema.Write()),
        _ => [.. LogEvents().OrderBy(message => message.Event.EventId).Select(Describe)],
    };

    private static IEnumerable<(string Name, LoggerMessageAttribute Event)> LogEvents()
        => from assembly in new[] { DeclaredNames.Core, DeclaredNames.Host }
           from type in assembly.GetTypes()
           from method in type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public
               | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
           let message = method.GetCustomAttribute<LoggerMessageAttribute>()
           where message is not null
           select (method.Name, message);

    private static string Describe((string Name, LoggerMessageAttribute Event) message)
        => $"{message.Event.EventId} {message.Event.Level} {message.Name}: {message.Event.Message}";

    private static List<string> Lines(string text)
        => [.. text.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n')];

    private static string Only(IEnumerable<string> these, IEnumerable<string> those)
        => string.Join("", these.Except(those).Select(line => $"\n    {line}"));

    private static IEnumerable<string> RetiredLines(string path)
        => File.Exists(path)
            ? File.ReadAllLines(path).Where(IsRetired)
            : [];

    private static bool IsRetired(string line) => line.StartsWith(Retired, StringComparison.Ordinal);

    private static void Rewrite(string path, string name, List<string> current)
    {
        var retired = RetiredLines(path).ToList();
        if (name == "log-events.txt" && File.Exists(path))
        {
            // An id that is gone stays on the list, so that nobody gives it to another message.
            var live = current.Select(line => line.Split(' ')[0]).ToHashSet();
            retired.AddRange(File.ReadAllLines(path)
                .Where(line => !line.StartsWith('#') && !live.Contains(line.Split(' ')[0]))
                .Select(line => Retired + line));
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, string.Join('\n', [.. current, .. retired]) + "\n");
    }
}
