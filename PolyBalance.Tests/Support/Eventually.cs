using NUnit.Framework;

namespace PolyBalance.Tests.Support;

/// <summary>Waits for what happens on other threads and is announced by nothing.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(20);

    /// <summary>Looks again and again, until the condition holds or patience ends.</summary>
    /// <param name="condition">What has to become true.</param>
    /// <param name="what">Says so in a failure, with the values of that moment.</param>
    public static async Task HoldsAsync(Func<bool> condition, Func<string> what)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(started) > Most)
                Assert.Fail($"never came true: {what()}");
            await Task.Delay(Glance, TimeProvider.System);
        }
    }
}
