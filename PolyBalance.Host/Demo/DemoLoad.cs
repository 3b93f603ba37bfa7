namespace PolyBalance.Host.Demo;

/// <summary>Some clients for the demo: requests at a moderate rate, and what came of them.</summary>
internal sealed class DemoLoad(Uri address) : IDisposable
{
    private const int ClientsOnce = 16;
    private const int InFlightMax = 64;
    private const int TicksPerSecond = 50;

    private static readonly string[] Paths = ["hello", "users/42", "search?q=load+balancing", "assets/app.js"];

    private readonly HttpClient _client = new(new SocketsHttpHandler { MaxConnectionsPerServer = InFlightMax })
    {
        BaseAddress = address,
        Timeout = TimeSpan.FromSeconds(5),
    };

    private int _inFlight;
    private long _sent;
    private long _succeeded;
    private long _failed;
    private long _unanswered;

    /// <summary>Responses with a status below 500.</summary>
    public long Succeeded => Volatile.Read(ref _succeeded);

    /// <summary>Responses with a 5xx status.</summary>
    public long Failed => Volatile.Read(ref _failed);

    /// <summary>Requests that got no response at all.</summary>
    public long Unanswered => Volatile.Read(ref _unanswered);

    /// <summary>Sends a number of requests as fast as a few clients can.</summary>
    /// <param name="count">Requests.</param>
    /// <param name="stop">Ends the round early when it completes.</param>
    public Task RunRoundAsync(int count, Task stop)
    {
        var clients = new Task[ClientsOnce];
        for (var index = 0; index < clients.Length; index++)
            clients[index] = SendUntilAsync(count, stop);
        return Task.WhenAll(clients);
    }

    /// <summary>Sends requests at a steady rate.</summary>
    /// <param name="perSecond">Requests; fewer when so many are unanswered that more would only wait.</param>
    /// <param name="stop">Ends the load when it completes.</param>
    public async Task RunAsync(int perSecond, Task stop)
    {
        using var ticks = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / TicksPerSecond));
        while (!stop.IsCompleted && await ticks.WaitForNextTickAsync())
        {
            var room = InFlightMax - Volatile.Read(ref _inFlight);
            for (var count = Math.Min(perSecond / TicksPerSecond, room); count > 0; count--)
                _ = SendAsync();
        }

        // The client's own timeout bounds this wait.
        while (Volatile.Read(ref _inFlight) > 0)
            await ticks.WaitForNextTickAsync();
    }

    /// <summary>Closes the connections.</summary>
    public void Dispose() => _client.Dispose();

    private async Task SendUntilAsync(int count, Task stop)
    {
        while (!stop.IsCompleted && Interlocked.Increment(ref _sent) <= count)
            await SendAsync();
    }

    private async Task SendAsync()
    {
        var number = Interlocked.Increment(ref _inFlight);
        try
        {
            using var response = await _client.GetAsync(Paths[number % Paths.Length]);
            if ((int)response.StatusCode < 500)
                Interlocked.Increment(ref _succeeded);
            else
                Interlocked.Increment(ref _failed);
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
        {
            Interlocked.Increment(ref _unanswered);
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
        }
    }
}
