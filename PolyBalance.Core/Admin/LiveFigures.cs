using System.Text.Json;
using PolyBalance.Telemetry;

namespace PolyBalance.Admin;

/// <summary>The gateway once a second, for everybody who watches: one look serves all of them.</summary>
/// <remarks>Any thread. Nobody looks at anything while nobody watches.</remarks>
internal sealed class LiveFigures(GatewayView gateway)
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();    // guards what follows
    private TaskCompletionSource<byte[]> _next = NewTurn();
    private byte[] _latest = [];
    private int _viewers;
    private bool _isRunning;

    /// <summary>Begins to watch. <see cref="Leave"/> follows.</summary>
    /// <returns>False: too many do.</returns>
    public bool TryJoin()
    {
        lock (_gate)
        {
            if (_viewers == Limits.ViewersMax)
                return false;

            _viewers++;
            if (_isRunning)
                return true;

            // Whoever comes first waits for the first look.
            _isRunning = true;
            _latest = [];
            if (_next.Task.IsCompleted)
                _next = NewTurn();
            _ = Task.Run(RunAsync);
            return true;
        }
    }

    /// <summary>Watches no more.</summary>
    public void Leave()
    {
        lock (_gate)
            _viewers--;
    }

    /// <summary>The latest look, or the first one when there is none yet.</summary>
    public Task<byte[]> LatestAsync()
    {
        lock (_gate)
            return _latest.Length > 0 ? Task.FromResult(_latest) : _next.Task;
    }

    /// <summary>The next look.</summary>
    /// <returns>Empty: there is none. The gateway ends, or a look has failed.</returns>
    public Task<byte[]> NextAsync()
    {
        lock (_gate)
            return _next.Task;
    }

    private static TaskCompletionSource<byte[]> NewTurn() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task RunAsync()
    {
        var sampler = new LiveSampler(gateway);
        using var timer = new PeriodicTimer(Period, gateway.Clock);
        var looked = gateway.Clock.GetTimestamp();
        try
        {
            do
            {
                var now = gateway.Clock.GetTimestamp();
                var answer = sampler.Look(gateway.Clock.GetElapsedTime(looked, now));
                looked = now;
                Publish(JsonSerializer.SerializeToUtf8Bytes(answer, AdminJson.Lines.LiveAnswer));
                await timer.WaitForNextTickAsync(gateway.Stop);
            }
            while (!TryRest());
        }
        catch (OperationCanceledException)
        {
            GiveUp();
        }
        catch (Exception bug)
        {
            // Viewers must not wait for what does not come: their streams end, and the next one tries again.
            Log.ExchangeFailed(gateway.Logger, bug);
            GiveUp();
        }
    }

    private void Publish(byte[] look)
    {
        lock (_gate)
        {
            _latest = look;
            var told = _next;
            _next = NewTurn();
            told.SetResult(look);
        }
    }

    private void GiveUp()
    {
        lock (_gate)
        {
            _isRunning = false;
            _latest = [];
            _next.TrySetResult([]);
        }
    }

    private bool TryRest()
    {
        lock (_gate)
        {
            _isRunning = _viewers > 0;
            return !_isRunning;
        }
    }
}
