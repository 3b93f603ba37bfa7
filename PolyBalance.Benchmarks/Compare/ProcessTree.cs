using System.Globalization;
using PolyBalance.Benchmarks.Compare.Figures;

namespace PolyBalance.Benchmarks.Compare;

/// <summary>A process with everything it started: what nginx's workers do counts for nginx.</summary>
internal static class ProcessTree
{
    /// <summary>The process and its descendants, parents first.</summary>
    public static IReadOnlyList<int> Of(int root)
    {
        var tree = new List<int> { root };
        for (var i = 0; i < tree.Count; i++)
        {
            foreach (var thread in Tasks(tree[i]))
            {
                var children = Read(Path.Combine(thread, "children"));
                foreach (var child in children.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                    tree.Add(int.Parse(child, CultureInfo.InvariantCulture));
            }
        }

        return tree;
    }

    /// <summary>
    /// CPU time of all of them, from <c>/proc/PID/stat</c>, which counts threads that have ended too. Unit: seconds, in
    /// steps of 10 ms.
    /// </summary>
    public static CpuTimes CpuOf(int root)
    {
        var sum = new CpuTimes();
        foreach (var process in Of(root))
        {
            if (Read($"/proc/{process}/stat") is { Length: > 0 } stat)
                sum += ProcFiles.CpuOf(stat);
        }

        return sum;
    }

    /// <summary>
    /// How long all their threads ran, from <c>/proc/PID/task/TID/schedstat</c>: in nanoseconds, which an idle proxy
    /// needs, but only of threads that are there. Unit: seconds.
    /// </summary>
    public static double RunTimeOf(int root)
        => Of(root).SelectMany(Tasks).Select(thread => Read(Path.Combine(thread, "schedstat")))
            .Where(text => text.Length > 0).Sum(ProcFiles.RunTimeOf);

    /// <summary>Resident memory of all of them (PSS). Unit: MiB.</summary>
    public static double MemoryMibOf(int root)
        => Of(root).Sum(process => ProcFiles.PssOf(Read($"/proc/{process}/smaps_rollup")));

    private static string[] Tasks(int process)
    {
        try
        {
            return Directory.GetDirectories($"/proc/{process}/task");
        }
        catch (IOException)
        {
            return [];
        }
    }

    // A process or a thread may end between our look at the list and the file; then it takes no more part.
    private static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
