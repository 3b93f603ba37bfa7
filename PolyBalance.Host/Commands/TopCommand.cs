using System.Runtime.InteropServices;
using System.Text.Json;

namespace PolyBalance.Host.Commands;

/// <summary><c>polybalance top</c>: the dashboard in a terminal, once a second, until <c>q</c> or Ctrl-C.</summary>
internal static class TopCommand
{
    // What was on the terminal before comes back at the end.
    private const string OtherScreen = "\u001b[?1049h\u001b[?25l\u001b[H";
    private const string FormerScreen = "\u001b[?25h\u001b[?1049l";

    private static readonly PosixSignal[] Ending = [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP];
    private static readonly TimeSpan KeyGlance = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1);

    /// <summary>Shows it. Where output is no terminal, or once is enough, one state is printed.</summary>
    /// <param name="client">Whom to ask.</param>
    /// <param name="isOnce">Print one state and end.</param>
    /// <param name="isJson">Print the gateway's answer as it is.</param>
    /// <param name="surroundings">Where to print.</param>
    public static async Task<int> RunAsync(AdminClient client, bool isOnce, bool isJson, Surroundings surroundings)
    {
        if (isOnce || isJson || Console.IsOutputRedirected || surroundings.Output != Console.Out)
            return await PrintOnceAsync(client, isJson, surroundings);

        using var stop = new CancellationTokenSource();
        var signals = Array.ConvertAll(Ending, signal => PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            stop.Cancel();
        }));
        var keys = WatchKeysAsync(stop);
        await surroundings.Output.WriteAsync(OtherScreen);
        AdminReply? refusal;
        try
        {
            refusal = await ShowAsync(client, surroundings, stop.Token);
        }
        finally
        {
            await surroundings.Output.WriteAsync(FormerScreen);
            await stop.CancelAsync();
            await keys;
            Array.ForEach(signals, static signal => signal.Dispose());
        }

        return refusal is null ? ExitCode.Fine : Replies.Refuse(refusal, surroundings.Error);
    }

    // Two states: only the second one knows rates.
    private static async Task<int> PrintOnceAsync(AdminClient client, bool isJson, Surroundings surroundings)
    {
        var view = new TopView();
        var states = 0;
        await foreach (var reply in client.WatchAsync("admin/events", CancellationToken.None))
        {
            if (!reply.IsFine)
                return Replies.Refuse(reply, surroundings.Error);
            if (++states < 2)
                continue;
            if (isJson)
                return Replies.Print(reply with { Text = reply.Text + "\n" }, surroundings.Output);

            view.Take(reply.Json, await FailuresAsync(client));
            await surroundings.Output.WriteAsync(view.Plain());
            return ExitCode.Fine;
        }

        return ExitCode.Unreachable;
    }

    // Until it is to stop; what the gateway has refused, if it has.
    private static async Task<AdminReply?> ShowAsync(
        AdminClient client, Surroundings surroundings, CancellationToken stop)
    {
        var view = new TopView();
        var refusal = default(AdminReply);
        var (output, hasColours) = (surroundings.Output, string.IsNullOrEmpty(surroundings.Variable("NO_COLOR")));
        while (!stop.IsCancellationRequested && refusal is null)
            refusal = await FollowAsync(client, view, Draw, stop);
        return refusal;

        // One write for a whole frame: nobody sees half of one.
        void Draw(string problem)
        {
            output.Write(view.Frame(Console.WindowWidth, Console.WindowHeight, problem, hasColours));
            output.Flush();
        }
    }

    // Until the stream ends; a gateway that restarts is found again.
    private static async Task<AdminReply?> FollowAsync(
        AdminClient client, TopView view, Action<string> draw, CancellationToken stop)
    {
        try
        {
            await foreach (var reply in client.WatchAsync("admin/events", stop))
            {
                if (!reply.IsFine)
                    return reply;

                var failures = view.WantsFailures(reply.Json) ? await FailuresAsync(client) : null;
                view.Take(reply.Json, failures);
                draw("");
            }
        }
        catch (UnreachableGatewayException failure) when (view.HasState)
        {
            draw(failure.Message);
        }
        catch (OperationCanceledException)
        {
            return null;
        }

        await Task.Delay(Again, TimeProvider.System, stop).ContinueWith(
            static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        return null;
    }

    private static async Task<JsonElement?> FailuresAsync(AdminClient client)
        => await client.AskAsync(HttpMethod.Get, "admin/errors") is { IsFine: true } reply ? reply.Json : null;

    private static async Task WatchKeysAsync(CancellationTokenSource stop)
    {
        while (!stop.IsCancellationRequested && !Console.IsInputRedirected)
        {
            while (Console.KeyAvailable)
            {
                if (Console.ReadKey(intercept: true).Key is ConsoleKey.Q or ConsoleKey.Escape)
                    await stop.CancelAsync();
            }

            await Task.Delay(KeyGlance, TimeProvider.System);
        }
    }
}
