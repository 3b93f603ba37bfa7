using System.Net;
using System.Net.Sockets;
using System.Text;

namespace PolyBalance.Benchmarks.Compare;

/// <summary>Waits until a program that was just started answers a GET.</summary>
internal static class Readiness
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    /// <summary>Returns when the program answers with 200.</summary>
    /// <param name="program">It may end instead.</param>
    /// <param name="port">On 127.0.0.1.</param>
    /// <param name="stop">Ends the wait.</param>
    /// <exception cref="LeftOutException">
    /// It ended, or it does not answer; the message quotes what it printed.
    /// </exception>
    public static async Task WaitAsync(ChildProgram program, int port, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Patience);
        using var pause = new PeriodicTimer(Pause);
        try
        {
            while (!await AnswersAsync(port, patience.Token))
            {
                if (program.HasEnded)
                {
                    await program.WaitForEndAsync(patience.Token);
                    throw new LeftOutException(Quote(program, "it ended at once"));
                }

                await pause.WaitForNextTickAsync(patience.Token);
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new LeftOutException(Quote(program, $"it does not answer within {Patience.TotalSeconds:0} s"));
        }
    }

    private static string Quote(ChildProgram program, string problem)
    {
        // The first complaint names the cause; what follows it are consequences.
        var lines = program.LastLines;
        var cause = lines.FirstOrDefault(line =>
            !line.Contains("[notice]", StringComparison.Ordinal)
            && !line.Contains("[warn", StringComparison.OrdinalIgnoreCase));
        return cause is null ? problem : $"{problem}: {cause}";
    }

    private static async Task<bool> AnswersAsync(int port, CancellationToken stop)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port, stop);
            await socket.SendAsync(Encoding.ASCII.GetBytes(
                $"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"), stop);
            var answer = new byte[64];
            var length = await socket.ReceiveAsync(answer, stop);
            return answer.AsSpan(0, length).StartsWith("HTTP/1.1 200"u8);
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
