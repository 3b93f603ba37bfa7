using NUnit.Framework;
using PolyBalance.Configuration;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Health;

[Platform("Linux", Reason = "/bin/sh and /proc")]
internal sealed class ExecProbeTests
{
    private ProbeRig _rig = null!;

    [SetUp]
    public void Start() => _rig = new(Medium.Sockets);

    [TearDown]
    public async Task EndAsync() => await _rig.DisposeAsync();

    [TestCase("exit 0", true, "exit code 0")]
    [TestCase("exit 3", false, "exit code 3")]
    [TestCase("echo not ready >&2; exit 1", false, "exit code 1: not ready")]
    [TestCase("kill -9 $$", false, "exit code 137")]
    [TestCase("head -c 1000000 /dev/zero; exit 0", true, "exit code 0",
        TestName = "A program that talks a lot is not held up")]
    [TestCase("head -c 1000000 /dev/zero >&2; exit 0", true, "exit code 0",
        TestName = "Nor one that complains a lot")]
    [TestCase("read line; exit $?", false, "exit code 1", TestName = "There is nothing to read for it")]
    public async Task The_exit_code_decides(string script, bool passes, string reason)
    {
        var answer = await RunAsync(script, ProbeRig.Patient);

        Assert.That((answer.Passed, answer.Reason), Is.EqualTo((passes, reason)));
    }

    [Test]
    public async Task The_program_learns_whom_to_look_at_and_nothing_of_our_own_surroundings()
    {
        Environment.SetEnvironmentVariable("POLYBALANCE_TEST_SECRET", "secret");
        var answer = await RunAsync(
            "echo $POLYBALANCE_CLUSTER $POLYBALANCE_BACKEND $POLYBALANCE_ADDRESS $POLYBALANCE_HOST $POLYBALANCE_PORT "
            + "[$POLYBALANCE_TEST_SECRET] >&2; exit 1",
            ProbeRig.Patient);

        Assert.That(answer.Reason, Is.EqualTo("exit code 1: web a 127.0.0.1:80 127.0.0.1 80 []"));
    }

    [Test]
    public async Task Arguments_are_given_as_they_are()
    {
        var check = ProbeRig.Patient with
        {
            Kind = ProbeKind.Exec,
            Command = "/usr/bin/test",
            Args = ["a b", "=", "a b"],
        };

        Assert.That((await _rig.ProbeAsync("127.0.0.1:80", check)).Passed);
        Assert.That((await _rig.ProbeAsync("127.0.0.1:80", check with { Args = ["$(exit 0)", "=", ""] })).Passed,
            Is.False);
    }

    [Test]
    public async Task At_the_timeout_the_program_is_killed_and_all_that_it_has_started()
    {
        var folder = Directory.CreateTempSubdirectory("polybalance-").FullName;
        var file = Path.Combine(folder, "child");

        var answer = await RunAsync($"sleep 1000 & echo $! > {file}; wait", ProbeRig.Patient with
        {
            Timeout = TimeSpan.FromSeconds(1),
        });

        Assert.That(answer.Reason, Is.EqualTo("timeout after 1s"));
        var child = (await File.ReadAllTextAsync(file)).Trim();
        await Eventually.HoldsAsync(() => !IsRunning(child), () => $"process {child} has ended");
        Directory.Delete(folder, recursive: true);
    }

    [Test]
    public async Task Nobody_waits_for_what_a_program_leaves_behind()
    {
        var folder = Directory.CreateTempSubdirectory("polybalance-").FullName;
        var file = Path.Combine(folder, "child");

        var answer = await RunAsync($"sleep 1000 & echo $! > {file}; exit 0", ProbeRig.Patient);

        Assert.That((answer.Passed, answer.Reason), Is.EqualTo((true, "exit code 0")));
        var child = (await File.ReadAllTextAsync(file)).Trim();
        System.Diagnostics.Process.GetProcessById(int.Parse(child, provider: null)).Kill();
        Directory.Delete(folder, recursive: true);
    }

    [Test]
    public async Task A_program_that_does_not_exist_is_told_so()
    {
        var check = ProbeRig.Patient with { Kind = ProbeKind.Exec, Command = "/no/such/program" };

        var answer = await _rig.ProbeAsync("127.0.0.1:80", check);

        Assert.That((answer.Passed, answer.Reason.StartsWith("cannot run /no/such/program", StringComparison.Ordinal)),
            Is.EqualTo((false, true)), answer.Reason);
    }

    private Task<PolyBalance.Health.ProbeAnswer> RunAsync(string script, HealthOptions check)
        => _rig.ProbeAsync("127.0.0.1:80", check with
        {
            Kind = ProbeKind.Exec,
            Command = "/bin/sh",
            Args = ["-c", script],
        });

    // A process that has ended may wait for its parent to notice.
    private static bool IsRunning(string process)
        => File.Exists($"/proc/{process}/stat")
            && !File.ReadAllText($"/proc/{process}/stat").Contains(") Z ", StringComparison.Ordinal);
}
