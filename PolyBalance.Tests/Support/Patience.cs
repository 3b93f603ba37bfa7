namespace PolyBalance.Tests.Support;

/// <summary>Awaits what must not take for ever: a test fails instead of hanging.</summary>
internal static class Patience
{
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(20);

    /// <summary>The result of something that must not take for ever.</summary>
    public static Task<T> InTime<T>(this ValueTask<T> task) => task.AsTask().WaitAsync(Most);

    /// <summary>The result of something that must not take for ever.</summary>
    public static Task<T> InTime<T>(this Task<T> task) => task.WaitAsync(Most);

    /// <summary>The end of something that must not take for ever.</summary>
    public static Task InTime(this Task task) => task.WaitAsync(Most);
}
