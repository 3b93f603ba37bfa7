using System.Globalization;
using System.Text.RegularExpressions;
using PolyBalance.Tests.Support;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace PolyBalance.Tests.Deploy;

/// <summary>The files of <c>deploy/</c>, read as those read them for whom they are.</summary>
internal static class DeployFiles
{
    /// <summary>All that is YAML, relative to the root of the repository.</summary>
    public static IEnumerable<string> AllYaml => Repository.Files("deploy", "*.yaml").Select(Repository.Relative);

    /// <summary>The text of a file below <c>deploy/</c>.</summary>
    public static string Text(string name) => File.ReadAllText(PathOf(name));

    /// <summary>The path of a file below <c>deploy/</c>.</summary>
    public static string PathOf(string name) => Path.Combine(Repository.PathOf("deploy"), name);

    /// <summary>The documents of a file below <c>deploy/</c>, merge keys resolved as compose does it.</summary>
    public static List<YamlNode> Documents(string name) => Parse(Text(name));

    /// <summary>The documents of a text.</summary>
    public static List<YamlNode> Parse(string text)
    {
        var stream = new YamlStream();
        stream.Load(new MergingParser(new Parser(new StringReader(text))));
        return [.. stream.Documents.Select(document => document.RootNode)];
    }

    /// <summary>The one document of a kind in a folder of manifests.</summary>
    public static YamlNode Manifest(string name, string kind)
        => Documents(name).Single(document => document.Text("kind") == kind);

    /// <summary>What stands at a path of keys and indices; null when nothing does.</summary>
    /// <param name="node">Where the path begins.</param>
    /// <param name="path">Such as <c>spec/containers/0/image</c>.</param>
    public static YamlNode? At(this YamlNode node, string path)
    {
        var at = node;
        foreach (var step in path.Split('/'))
        {
            at = at switch
            {
                YamlMappingNode mapping
                    => mapping.Children.TryGetValue(new YamlScalarNode(step), out var value) ? value : null,
                YamlSequenceNode list when int.TryParse(step, CultureInfo.InvariantCulture, out var index)
                    => list.Children.ElementAtOrDefault(index),
                _ => null,
            };
            if (at is null)
                return null;
        }

        return at;
    }

    /// <summary>The scalar at a path; null when there is none.</summary>
    public static string? Text(this YamlNode node, string path) => (node.At(path) as YamlScalarNode)?.Value;

    /// <summary>The entries of the list at a path; none when there is no list.</summary>
    public static IEnumerable<YamlNode> List(this YamlNode node, string path)
        => (node.At(path) as YamlSequenceNode)?.Children ?? [];

    /// <summary>The scalars of the list at a path.</summary>
    public static IEnumerable<string?> Texts(this YamlNode node, string path)
        => node.List(path).Select(entry => (entry as YamlScalarNode)?.Value);

    /// <summary>A duration as our files and those of others spell it. Unit: seconds.</summary>
    public static int Seconds(string? duration)
        => int.Parse(Regex.Match(duration ?? "", @"^(\d+)s?$").Groups[1].Value, CultureInfo.InvariantCulture);
}
