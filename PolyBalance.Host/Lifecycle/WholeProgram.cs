using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace PolyBalance.Host.Lifecycle;

/// <summary>
/// Loads every assembly of the executable: for a process that outlives its file, because another version takes its
/// place while it runs.
/// </summary>
/// <remarks>
/// The runtime opens the file by its name whenever it needs an assembly for the first time, and reads it from where it
/// was in the file that it has started from. In another file something else is there, or nothing: the process would die
/// by SIGBUS, or worse. What is loaded is mapped, and stays what it was.
/// </remarks>
internal static class WholeProgram
{
    /// <summary>
    /// Loads what is not loaded yet, if all is in a single file. Takes some milliseconds, and a file descriptor for
    /// each assembly, which is part of what connections never get; any thread.
    /// </summary>
    [UnconditionalSuppressMessage(
        "Trimming", "IL2026", Justification = "What was trimmed away is not in the file, and nobody can need it.")]
    [UnconditionalSuppressMessage(
        "SingleFile", "IL3000", Justification = "That there is no place is the answer.")]
    public static void Load()
    {
        if (typeof(WholeProgram).Assembly.Location.Length > 0)
            return;

        var known = new HashSet<string>(StringComparer.Ordinal);
        var left = new Stack<Assembly>();
        left.Push(typeof(WholeProgram).Assembly);
        while (left.TryPop(out var assembly))
        {
            foreach (var name in assembly.GetReferencedAssemblies())
            {
                if (!known.Add(name.FullName))
                    continue;

                try
                {
                    left.Push(Assembly.Load(name));
                }
                catch (IOException)
                {
                    // It was trimmed away as a whole, and only its name is left.
                }
            }
        }
    }
}
