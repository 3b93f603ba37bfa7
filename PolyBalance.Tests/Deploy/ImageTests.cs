using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Deploy;

/// <summary>The image and what containers get of the kernel.</summary>
internal sealed class ImageTests
{
    private static readonly string[] RingCalls = ["io_uring_enter", "io_uring_register", "io_uring_setup"];

    private static string Dockerfile => DeployFiles.Text("Dockerfile").Replace("\\\n", " ", StringComparison.Ordinal);

    [Test]
    public void What_is_copied_exists_and_is_let_through_to_the_build()
    {
        var ignored = DeployFiles.Text("Dockerfile.dockerignore").Split('\n');
        var sources = Regex.Matches(Dockerfile, @"^COPY (?!--from)(.+) \S+$", RegexOptions.Multiline)
            .SelectMany(copy => copy.Groups[1].Value.Split(' ')).ToList();

        Assert.That(sources, Has.Count.AtLeast(6));
        Assert.That(ignored, Does.Contain("*"), "only what is named goes to the build");
        foreach (var source in sources)
        {
            Assert.That(Path.Exists(Repository.PathOf(source)), source);
            Assert.That(ignored, Does.Contain("!" + source.Split('/')[0]), source);
        }
    }

    [Test]
    public void Stages_that_are_copied_from_exist_and_every_base_has_a_version()
    {
        var stages = Regex.Matches(
            Dockerfile, @"^FROM (?:--platform=\S+ )?(\S+)(?: AS (\w+))?$", RegexOptions.Multiline);
        var copied = Regex.Matches(Dockerfile, "^COPY --from=(\\w+)", RegexOptions.Multiline);

        Assert.That(copied.Select(copy => copy.Groups[1].Value),
            Is.Not.Empty.And.SubsetOf(stages.Select(stage => stage.Groups[2].Value)));
        Assert.That(stages.Select(stage => stage.Groups[1].Value), Has.All.Match(":10\\.0"));
    }

    [Test]
    public void It_runs_as_a_numeric_user_and_ends_by_the_signal_that_drains()
    {
        Assert.That(Dockerfile, Does.Match(@"(?m)^USER [1-9]\d*:[1-9]\d*$"));
        Assert.That(Dockerfile, Does.Match("(?m)^STOPSIGNAL SIGTERM$"));
        Assert.That(Dockerfile, Does.Contain("ENTRYPOINT [\"/polybalance\"]"));
        Assert.That(Dockerfile, Does.Contain("CMD [\"run\", \"--config\", \"/etc/polybalance/polybalance.yaml\"]"));
    }

    [Test]
    public void Its_version_is_that_of_the_product()
    {
        var version = XDocument.Load(Repository.PathOf("Directory.Build.props")).Descendants("Version").Single().Value;

        Assert.That(Dockerfile, Does.Contain($"org.opencontainers.image.version=\"{version}\""));
        Assert.That(DeployFiles.Documents("kubernetes/kustomization.yaml")[0].Text("images/0/newTag"),
            Is.EqualTo(version));
        Assert.That(DeployFiles.Documents("compose.yaml")[0].Text("services/polybalance/image"),
            Is.EqualTo($"polybalance:{version}"));
    }

    [Test]
    public void The_seccomp_profile_allows_rings_and_names_no_call_twice()
    {
        using var profile = JsonDocument.Parse(DeployFiles.Text("docker/seccomp-io-uring.json"));
        var rules = profile.RootElement.GetProperty("syscalls").EnumerateArray().ToList();
        var names = rules.SelectMany(NamesOf).ToList();
        var allowed = rules.Where(rule => rule.GetProperty("action").GetString() == "SCMP_ACT_ALLOW"
            && !rule.TryGetProperty("args", out _)).SelectMany(NamesOf);

        Assert.That(profile.RootElement.GetProperty("defaultAction").GetString(), Is.EqualTo("SCMP_ACT_ERRNO"));
        Assert.That(names, Is.Unique);
        Assert.That(allowed, Is.SupersetOf(RingCalls));
        Assert.That(names, Has.None.Matches("^(mount|umount2|ptrace|bpf|setns|unshare|keyctl|perf_event_open)$"));
    }

    private static IEnumerable<string> NamesOf(JsonElement rule)
        => rule.GetProperty("names").EnumerateArray().Select(name => name.GetString()!);
}
