using NUnit.Framework;
using PolyBalance.Configuration;

namespace PolyBalance.Tests.Configuration;

/// <summary>Parses configurations the way tests want to write them.</summary>
internal static class Parsing
{
    public const string File = "polybalance.yaml";

    /// <summary>The least that a configuration needs; tests add lines to it.</summary>
    public const string Smallest = """
        listeners:
          - bind: ":8000"
        clusters:
          web:
            backends: [ "10.0.0.11:8080", "10.0.0.12:8080" ]

        """;

    /// <summary>Reads a text, and sees to it that an editor has nothing against it either when it is right.</summary>
    public static ConfigResult Parse(string text, params (string Name, string Value)[] environment)
    {
        var result = ProxyOptions.Parse(
            text, File, name => environment.FirstOrDefault(variable => variable.Name == name).Value);
        if (result.Options is not null)
            Assert.That(SchemaCheck.Fits(text), $"valid, but it does not fit the schema:\n{text}");
        return result;
    }

    /// <summary>The options of a text that is right; its errors are the assertion's message otherwise.</summary>
    public static ProxyOptions Options(string text, params (string Name, string Value)[] environment)
    {
        var result = Parse(text, environment);
        return result.Options ?? throw new ArgumentException(string.Join("\n", result.Errors), nameof(text));
    }

    /// <summary>The options of <see cref="Smallest"/> with more lines at the top level.</summary>
    public static ProxyOptions With(string lines) => Options(Smallest + lines);

    /// <summary>The only cluster of <see cref="Smallest"/> with more keys.</summary>
    public static ClusterOptions Cluster(string lines) => Options(InCluster(lines)).Clusters[0];

    /// <summary><see cref="Smallest"/> with more keys in its cluster, from line 6 on.</summary>
    public static string InCluster(string lines)
        => Smallest + string.Concat(lines.Split('\n').Select(line => $"    {line}\n"));

    /// <summary>Every error as the user reads it, without the name of the file.</summary>
    public static string[] Errors(string text, params (string Name, string Value)[] environment)
        => Lines(Parse(text, environment).Errors);

    /// <summary>Every warning as the user reads it, without the name of the file.</summary>
    public static string[] Warnings(string text) => Lines(Parse(text).Warnings);

    public static string[] Lines(IEnumerable<ConfigError> found)
        => [.. found.Select(error => error.ToString().Replace(File + ":", "", StringComparison.Ordinal))];
}
