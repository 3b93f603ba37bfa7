using PolyBalance.Tests.Support;
using PolyBalance.Transport.Linux;

namespace PolyBalance.Tests.Transport;

/// <summary>Lets a test do something as the code of a loop does: on its thread.</summary>
internal static class LoopThread
{
    /// <summary>Runs a piece of code there to its end, and brings the result back.</summary>
    public static Task<T> RunAsync<T>(this EventLoop loop, Func<Task<T>> code)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!loop.Post(_ => _ = PassOnAsync(code, result), null))
            result.SetException(new InvalidOperationException("The loop has ended."));
        return result.Task.InTime();
    }

    private static async Task PassOnAsync<T>(Func<Task<T>> code, TaskCompletionSource<T> result)
    {
        try
        {
            result.SetResult(await code());
        }
        catch (Exception failure)
        {
            result.SetException(failure);
        }
    }
}
