namespace PolyBalance.Transport.Linux;

/// <summary>Why a system lets nobody have a ring, in words for an operator.</summary>
internal static class RingObstacle
{
    private const string Switch = "/proc/sys/kernel/io_uring_disabled";

    /// <summary>What an error code of <see cref="RingTransport.TryStart"/> stands for.</summary>
    public static string Explain(int error) => error switch
    {
        Libc.NoSuchCall => "the kernel has no io_uring, or a sandbox hides it",
        Libc.NotPermitted when IsSwitchedOff() => "it is switched off by the sysctl kernel.io_uring_disabled",
        Libc.NotPermitted => "a security policy forbids it, as container runtimes do by default (seccomp)",
        Libc.Invalid => $"Linux 6.1 or newer is needed; this is {Environment.OSVersion.Version}",
        Libc.NoMemory => "there is too little memory that may be locked (RLIMIT_MEMLOCK)",
        Libc.TooManyFiles or Libc.TooManyFilesInSystem => "no file descriptor is left",
        _ => $"the kernel answered with error {error}",
    };

    private static bool IsSwitchedOff()
    {
        try
        {
            return File.ReadAllText(Switch).Trim() != "0";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
