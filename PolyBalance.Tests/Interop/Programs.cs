using NUnit.Framework;

namespace PolyBalance.Tests.Interop;

/// <summary>The programs of others that these tests talk to, found on the PATH and where daemons live.</summary>
internal static class Programs
{
    private static readonly string[] Folders =
    [
        .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries),
        "/usr/local/sbin", "/usr/sbin", "/sbin",
    ];

    /// <summary>Whether the long forms are asked for: gigabytes, and comparisons with other gateways.</summary>
    public static bool IsLongRun => Environment.GetEnvironmentVariable("POLYBALANCE_LONG") == "1";

    /// <summary>The path of a program that the promise of interoperability rests on.</summary>
    /// <exception cref="IgnoreException">It is missing on a developer's machine.</exception>
    /// <exception cref="AssertionException">It is missing and <c>CI=true</c>: there nothing may be skipped.</exception>
    public static string Find(string name)
    {
        if (TryFind(name) is { } path)
            return path;

        var message = $"{name} is not installed, and this test talks to it";
        throw string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase)
            ? new AssertionException(message)
            : new IgnoreException(message);
    }

    /// <summary>The path of a program that only widens the picture: without it the test is always skipped.</summary>
    /// <exception cref="IgnoreException">It is missing.</exception>
    public static string FindOptional(string name)
        => TryFind(name) ?? throw new IgnoreException($"{name} is not installed; other tests show nearly the same");

    private static string? TryFind(string name)
        => Folders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
}
