using NUnit.Framework;
using PolyBalance.Transport.Linux;

namespace PolyBalance.Tests.Transport;

/// <summary>What an operator reads who wonders why there is no io_uring.</summary>
internal sealed class RingObstacleTests
{
    private const string Switch = "/proc/sys/kernel/io_uring_disabled";

    [TestCase(38, "the kernel has no io_uring, or a sandbox hides it", TestName = "ENOSYS is a kernel without")]
    [TestCase(12, "there is too little memory that may be locked (RLIMIT_MEMLOCK)", TestName = "ENOMEM is a limit")]
    [TestCase(23, "no file descriptor is left", TestName = "ENFILE is a shortage of files")]
    [TestCase(24, "no file descriptor is left", TestName = "EMFILE is a shortage of files")]
    [TestCase(5, "the kernel answered with error 5", TestName = "Any other error is told by its number")]
    public void An_error_code_is_told_in_words(int error, string words)
        => Assert.That(RingObstacle.Explain(error), Is.EqualTo(words));

    [Test]
    public void EINVAL_is_a_kernel_that_is_too_old_and_its_version_is_told()
        => Assert.That(
            RingObstacle.Explain(22),
            Is.EqualTo($"Linux 6.1 or newer is needed; this is {Environment.OSVersion.Version}"));

    [Test]
    public void EPERM_is_the_switch_of_the_system_or_else_a_policy()
    {
        var isOff = File.Exists(Switch) && File.ReadAllText(Switch).Trim() != "0";

        Assert.That(
            RingObstacle.Explain(1),
            Is.EqualTo(
                isOff
                    ? "it is switched off by the sysctl kernel.io_uring_disabled"
                    : "a security policy forbids it, as container runtimes do by default (seccomp)"));
    }

    [Test]
    public void Every_reason_fits_into_a_sentence()
    {
        for (var error = 1; error < 135; error++)
        {
            Assert.That(
                $"The transport is sockets, not io_uring: {RingObstacle.Explain(error)}",
                Does.Match(@": [a-zL].*[^.!\n]$"));
        }
    }
}
