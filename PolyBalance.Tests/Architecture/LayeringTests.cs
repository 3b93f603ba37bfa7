using System.Reflection;
using System.Text.RegularExpressions;
using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Architecture;

/// <summary>Who may know whom. PolyBalance.Core/README.md draws the same picture.</summary>
internal sealed class LayeringTests
{
    private static readonly string[][] Layers =
    [
        ["Http", "Configuration", "Telemetry"],
        ["Transport"],
        ["Backends"],
        ["Balancing"],
        ["Topology"],
        ["Proxy", "Health", "Discovery"],
        ["Admin"],
        ["Server"],
    ];

    private static readonly string[][] HostLayers =
    [
        ["Telemetry"],
        ["Configuration"],
        ["Lifecycle", "Help"],
        ["Commands", "Demo"],
    ];

    private static readonly string[] Folders = [.. Layers.SelectMany(names => names)];

    /// <summary>
    /// Besides the options and the records: the gateway, what it may be given, whom it takes over from and hands over
    /// to, a backend to try it with, and why they fail.
    /// </summary>
    private static readonly string[] VisibleTypes =
    [
        "FailureKind", "GivenSockets", "ListenException", "TransportException", "ProxyServer", "IConfigSource",
        "Predecessor", "Successor", "HandoverException", "UpgradeOutcome", "SampleBackend", "SampleBackendOptions",
    ];

    /// <summary>What protocol code may not name, and why not.</summary>
    private static readonly (string Pattern, string Why)[] BannedInHttp =
    [
        (@"System\.Net\b", "it knows no sockets and no addresses"),
        (@"System\.IO\.Pipelines\b|\bPipe(Reader|Writer)\b", "spans and sequences in, IBufferWriter<byte> out"),
        (@"System\.Threading\b|\bTask\b|\bValueTask\b|\basync\b|\bawait\b", "it never waits"),
        (@"\block\b|\bInterlocked\b|\bVolatile\b", "a message has one owner"),
        (@"Microsoft\.Extensions\b|\bILogger\b", "it returns what happened; others log it"),
        (@"\bTimeProvider\b|\bDateTime(Offset)?\b|\bStopwatch\b|\bEnvironment\.TickCount", "it has no clock"),
        (@"\bthrow new (?!InvalidOperationException|UnreachableException)", "a peer can never make us throw"),
    ];

    [Test]
    public void Every_folder_of_Core_has_a_layer()
    {
        var folders = Directory.EnumerateDirectories(Repository.PathOf("PolyBalance.Core"))
            .Select(Path.GetFileName)
            .Where(name => name is not ("bin" or "obj" or "decisions"));

        Assert.That(folders, Is.SubsetOf(Folders));
    }

    [Test]
    public void A_folder_names_folders_of_lower_layers_only()
    {
        var wrong = from layer in Enumerable.Range(0, Layers.Length)
                    from folder in Layers[layer]
                    where Directory.Exists(Repository.PathOf("PolyBalance.Core", folder))
                    from file in SourceFile.In($"PolyBalance.Core/{folder}")
                    from other in Layers.Skip(layer).SelectMany(names => names)
                    where other != folder
                    from Match match in Naming(other).Matches(file.Code)
                    select $"{file.Path}:{file.LineOf(match.Index)} names {other}, which is not below {folder}";

        Findings.AreNone(wrong);
    }

    [Test]
    public void Files_beside_the_folders_of_Core_name_none_of_them()
    {
        var wrong = from path in Directory.EnumerateFiles(Repository.PathOf("PolyBalance.Core"), "*.cs")
                    let file = SourceFile.Read(path)
                    from folder in Folders
                    from Match match in Naming(folder).Matches(file.Code)
                    select $"{file.Path}:{file.LineOf(match.Index)} names {folder}";

        Findings.AreNone(wrong);
    }

    [Test]
    public void A_folder_of_Host_names_folders_of_lower_layers_only()
    {
        var folders = Directory.EnumerateDirectories(Repository.PathOf("PolyBalance.Host"))
            .Select(path => Path.GetFileName(path)!)
            .Where(name => name is not ("bin" or "obj" or "surface"));
        Assert.That(folders, Is.EquivalentTo(HostLayers.SelectMany(names => names)));

        var wrong = from layer in Enumerable.Range(0, HostLayers.Length)
                    from folder in HostLayers[layer]
                    from file in SourceFile.In($"PolyBalance.Host/{folder}")
                    from other in HostLayers.Skip(layer).SelectMany(names => names)
                    where other != folder
                    from Match match in Regex.Matches(file.Code, $@"\bHost\.{other}\b")
                    select $"{file.Path}:{file.LineOf(match.Index)} names {other}, which is not below {folder}";

        Findings.AreNone(wrong);
    }

    [Test]
    public void Protocol_code_takes_bytes_and_gives_values_and_knows_nothing_else()
    {
        var wrong = from file in SourceFile.In("PolyBalance.Core/Http")
                    from ban in BannedInHttp
                    from Match match in Regex.Matches(file.Code, ban.Pattern)
                    select $"{file.Path}:{file.LineOf(match.Index)} `{match.Value}`: {ban.Why}";

        Findings.AreNone(wrong);
    }

    [Test]
    public void The_executable_sees_options_records_and_hardly_anything_else()
    {
        var seen = DeclaredNames.TypesOf(DeclaredNames.Core)
            .Where(type => type.IsPublic)
            .Where(type => type.Namespace is not ("PolyBalance.Configuration" or "PolyBalance.Telemetry"))
            .Select(type => type.Name);

        Assert.That(seen, Is.EquivalentTo(VisibleTypes));
    }

    [Test]
    public void Nothing_static_is_mutable()
    {
        var wrong = from type in DeclaredNames.TypesOf(DeclaredNames.Core)
                    from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
                    where !field.IsInitOnly && !field.IsLiteral && !field.Name.Contains('<')
                    select $"{type.FullName}.{field.Name}: state belongs to an object that somebody owns";

        Findings.AreNone(wrong);
    }

    [TestCase("using PolyBalance.Health;", true)]
    [TestCase("using static PolyBalance.Health.Probe;", true)]
    [TestCase("Health.HealthMonitor monitor;", true, TestName = "a sibling namespace needs no using")]
    [TestCase("backend.Health.ToString()", false, TestName = "a member of that name is none")]
    [TestCase("using PolyBalance.HealthChecks;", false)]
    [TestCase("PolyBalanceHealth.X()", false)]
    public void What_counts_as_naming_a_folder(string code, bool expected)
        => Assert.That(Naming("Health").IsMatch(code), Is.EqualTo(expected));

    // Inside `namespace PolyBalance.Proxy` one can write `Health.HealthMonitor` without any using.
    private static Regex Naming(string folder)
        => new($@"\bPolyBalance\.{folder}\b|(?<![\w.]){folder}\.(?=[A-Z])");
}
