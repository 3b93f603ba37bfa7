using System.Globalization;

namespace PolyBalance.Transport.Linux;

/// <summary>Who has started whom, as the kernel tells it. See proc_pid_stat(5).</summary>
internal static class Ancestry
{
    /// <summary>Whether two processes are the same one, or one has started the other.</summary>
    /// <param name="older">The one that may have started the other.</param>
    /// <param name="younger">The other.</param>
    public static bool IsSameOrParent(int older, int younger) => older == younger || older == ParentOf(younger);

    /// <summary>The process that has started another one, or has taken it in since; 0: it is gone.</summary>
    public static int ParentOf(int process)
    {
        try
        {
            // "PID (name) state PPID …", and the name may be anything.
            var line = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/stat"));
            return int.Parse(line[line.LastIndexOf(')')..].Split(' ')[2], CultureInfo.InvariantCulture);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
