using System.Text.RegularExpressions;
using NUnit.Framework;
using PolyBalance.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace PolyBalance.Tests.Deploy;

/// <summary>The manifests for Kubernetes agree with each other and with the configuration in them.</summary>
internal sealed class ManifestTests
{
    /// <summary>What is left for the end after a drain: last lines, last spans. Unit: seconds.</summary>
    private const int EndSeconds = 5;

    private const string Pod = "spec/template/spec";

    private static readonly YamlNode Gateway = DeployFiles.Manifest("kubernetes/deployment.yaml", "Deployment");
    private static readonly YamlNode Backend = DeployFiles.Manifest("kubernetes/backend.yaml", "Deployment");

    private static readonly YamlNode Configuration = DeployFiles.Parse(
        DeployFiles.Manifest("kubernetes/configmap.yaml", "ConfigMap").Text("data/polybalance.yaml")!)[0];

    [TestCaseSource(typeof(DeployFiles), nameof(DeployFiles.AllYaml))]
    public void Every_file_is_YAML(string file)
        => Assert.That(DeployFiles.Parse(File.ReadAllText(Repository.PathOf(file))),
            Is.Not.Empty.And.All.InstanceOf<YamlMappingNode>());

    [Test]
    public void The_kustomization_takes_every_manifest_and_no_other()
    {
        var files = Directory.GetFiles(DeployFiles.PathOf("kubernetes"), "*.yaml").Select(Path.GetFileName)
            .Where(name => name != "kustomization.yaml");

        Assert.That(DeployFiles.Documents("kubernetes/kustomization.yaml")[0].Texts("resources"),
            Is.EquivalentTo(files));
    }

    [Test]
    public void The_grace_period_is_delay_and_drain_and_the_end()
    {
        var delay = DeployFiles.Seconds(Configuration.Text("shutdown/delay"));
        var drain = DeployFiles.Seconds(Configuration.Text("shutdown/drain"));

        Assert.That(DeployFiles.Seconds(Gateway.Text($"{Pod}/terminationGracePeriodSeconds")),
            Is.EqualTo(delay + drain + EndSeconds));

        // Until the cluster has noticed, which takes a probe, the gateway has to accept.
        var probe = Gateway.At($"{Pod}/containers/0/readinessProbe")!;
        var noticed = DeployFiles.Seconds(probe.Text("periodSeconds"))
            * DeployFiles.Seconds(probe.Text("failureThreshold"));
        Assert.That(delay, Is.AtLeast(noticed + 1));
    }

    [Test]
    public void A_backend_stays_until_nobody_can_have_its_address_any_more()
    {
        var sleep = DeployFiles.Seconds(Backend.Text($"{Pod}/containers/0/lifecycle/preStop/exec/command/1"));

        Assert.That(sleep, Is.AtLeast(10));
        Assert.That(DeployFiles.Seconds(Backend.Text($"{Pod}/terminationGracePeriodSeconds")),
            Is.AtLeast(sleep + 10));
    }

    [Test]
    public void Probes_ask_a_listener_that_answers_them_and_no_Service_leads_there()
    {
        var exposing = Configuration.List("listeners")
            .Single(listener => listener.Texts("expose").Contains("readyz"));
        Assert.That(exposing.Texts("expose"), Is.EquivalentTo((string[])["healthz", "readyz", "metrics"]));

        var port = Gateway.List($"{Pod}/containers/0/ports").Single(port => port.Text("name") == "probes");
        Assert.That(exposing.Text("bind"), Is.EqualTo($":{port.Text("containerPort")}"));
        Assert.That(Scalar(Gateway.At("spec/template/metadata/annotations")!, "prometheus.io/port"),
            Is.EqualTo(port.Text("containerPort")));
        foreach (var (probe, path) in (ReadOnlySpan<(string, string)>)
            [("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")])
        {
            Assert.That(Gateway.Text($"{Pod}/containers/0/{probe}/httpGet/port"), Is.EqualTo("probes"));
            Assert.That(Gateway.Text($"{Pod}/containers/0/{probe}/httpGet/path"), Is.EqualTo(path));
        }

        var service = DeployFiles.Manifest("kubernetes/service.yaml", "Service");
        Assert.That(service.Text("spec/type"), Is.EqualTo("NodePort"));
        Assert.That(service.List("spec/ports").Select(port => port.Text("targetPort")), Is.EqualTo((string[])["http"]));
    }

    [Test]
    public void Backends_are_those_of_the_headless_Service()
    {
        var service = DeployFiles.Manifest("kubernetes/backend.yaml", "Service");
        var space = DeployFiles.Manifest("kubernetes/namespace.yaml", "Namespace").Text("metadata/name");

        Assert.That(service.Text("spec/clusterIP"), Is.EqualTo("None"));
        Assert.That(Configuration.Text("clusters/web/backends/0/dns"), Is.EqualTo(
            $"{service.Text("metadata/name")}.{space}.svc.cluster.local:{service.Text("spec/ports/0/port")}"));
        Assert.That(Configuration.Text("clusters/web/health/path"), Is.EqualTo("/healthz"));
        Assert.That(DeployFiles.Documents("kubernetes/kustomization.yaml")[0].Text("namespace"), Is.EqualTo(space));
    }

    [Test]
    public void The_sticky_keys_come_from_the_Secret_that_every_replica_mounts()
    {
        var keys = Configuration.Text("clusters/web/sticky/key_file")!;
        var mount = Gateway.List($"{Pod}/containers/0/volumeMounts").Single(mount => mount.Text("name") == "keys");
        var volume = Gateway.List($"{Pod}/volumes").Single(volume => volume.Text("name") == "keys");
        var secret = DeployFiles.Documents("kubernetes/kustomization.yaml")[0].At("secretGenerator/0")!;

        Assert.That(Path.GetDirectoryName(keys), Is.EqualTo(mount.Text("mountPath")));
        Assert.That(secret.Texts("files"), Is.EqualTo((string[])[Path.GetFileName(keys)]));
        Assert.That(volume.Text("secret/secretName"), Is.EqualTo(secret.Text("name")));
        Assert.That(DeployFiles.Text("kubernetes/.gitignore").Split('\n'), Does.Contain(Path.GetFileName(keys)));
        Assert.That(DeployFiles.Seconds(Gateway.Text("spec/replicas")), Is.AtLeast(2));
    }

    [TestCase("kubernetes/deployment.yaml")]
    [TestCase("kubernetes/backend.yaml")]
    public void Pods_keep_to_the_restricted_standard(string file)
    {
        var pod = DeployFiles.Manifest(file, "Deployment").At(Pod)!;
        Assert.That(pod.Text("securityContext/runAsNonRoot"), Is.EqualTo("true"));
        Assert.That(pod.Text("securityContext/seccompProfile/type"), Is.EqualTo("RuntimeDefault"));
        Assert.That(pod.Text("automountServiceAccountToken"), Is.EqualTo("false"));
        foreach (var container in pod.List("containers"))
        {
            Assert.That(container.Text("securityContext/allowPrivilegeEscalation"), Is.EqualTo("false"));
            Assert.That(container.Text("securityContext/readOnlyRootFilesystem"), Is.EqualTo("true"));
            Assert.That(container.Texts("securityContext/capabilities/drop"), Is.EqualTo((string[])["ALL"]));
            Assert.That(container.Text("resources/requests/memory"), Is.Not.Null);
            Assert.That(container.Text("resources/limits/memory"), Is.Not.Null);
        }
    }

    [Test]
    public void The_user_is_that_of_the_image()
    {
        var user = Regex.Match(DeployFiles.Text("Dockerfile"), @"(?m)^USER (\d+):(\d+)$");

        Assert.That(Gateway.Text($"{Pod}/securityContext/runAsUser"), Is.EqualTo(user.Groups[1].Value));
        Assert.That(Gateway.Text($"{Pod}/securityContext/runAsGroup"), Is.EqualTo(user.Groups[2].Value));
        Assert.That(Gateway.Text($"{Pod}/securityContext/fsGroup"), Is.EqualTo(user.Groups[2].Value),
            "otherwise it cannot read its Secret");
    }

    [Test]
    public void Everything_that_selects_pods_finds_them()
    {
        var labels = new[] { Gateway, Backend }
            .Select(deployment => NameLabel(deployment.At("spec/template/metadata/labels")!));
        var manifests = Directory.GetFiles(DeployFiles.PathOf("kubernetes"), "*.yaml")
            .SelectMany(file => DeployFiles.Parse(File.ReadAllText(file))).ToList();
        var selectors = manifests.SelectMany(manifest => (YamlNode?[])
            [
                manifest.Text("kind") == "Service" ? manifest.At("spec/selector") : null,
                manifest.At("spec/selector/matchLabels"), manifest.At("spec/podSelector/matchLabels"),
            ])
            .OfType<YamlNode>().Select(NameLabel).ToList();

        Assert.That(labels, Is.EqualTo((string[])["polybalance", "backend"]));
        Assert.That(selectors, Has.Count.AtLeast(7).And.All.AnyOf("polybalance", "backend"));
    }

    [Test]
    public void The_backend_to_try_things_with_is_that_of_compose()
    {
        var inCluster = DeployFiles.Manifest("kubernetes/backend.yaml", "ConfigMap").Text("data/default.conf")!;

        Assert.That(DeployFiles.Text("compose/backend.conf"), Does.EndWith(inCluster));
    }

    private static string NameLabel(YamlNode labels) => Scalar(labels, "app.kubernetes.io/name");

    // Keys with a slash cannot be part of a path.
    private static string Scalar(YamlNode mapping, string key)
        => ((YamlScalarNode)((YamlMappingNode)mapping).Children[new YamlScalarNode(key)]).Value!;
}
