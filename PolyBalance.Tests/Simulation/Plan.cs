using PolyBalance.Configuration;

namespace PolyBalance.Tests.Simulation;

/// <summary>One schedule: what a seed says about the configuration, the backends and the clients.</summary>
internal sealed class Plan
{
    private static readonly int[] Weights = [1, 1, 1, 2, 3, 10, 0];

    /// <summary>Draws everything that is fixed from the start.</summary>
    public Plan(Random random)
    {
        var count = random.Next(1, 7);
        Length = TimeSpan.FromSeconds(random.Next(10, 60));
        Requests = random.Next(50, 900);
        RepeatablePercent = random.Next(0, 101);
        TroublePercent = random.Next(0, 101);
        ImpatientPercent = random.Next(4) == 0 ? random.Next(1, 30) : 0;
        Reloads = random.Next(3) == 0 ? random.Next(1, 10) : 0;
        var health = random.Next(4) == 0 ? null : DrawHealth(random);
        Options = new()
        {
            Listeners = [],
            Routes = [],
            Clusters = [DrawCluster(random, count, health)],
        };
        if (random.Next(2) == 0)
            Options = WithBackups(random, Options);
    }

    /// <summary>What the user wrote.</summary>
    public ProxyOptions Options { get; }

    /// <summary>The only cluster.</summary>
    public ClusterOptions Cluster => Options.Clusters[0];

    /// <summary>How long clients come.</summary>
    public TimeSpan Length { get; }

    /// <summary>How many come, about. They do not wait for each other.</summary>
    public int Requests { get; }

    /// <summary>How many of a hundred requests are idempotent.</summary>
    public int RepeatablePercent { get; }

    /// <summary>How likely a backend is in trouble after its mood has changed.</summary>
    public int TroublePercent { get; }

    /// <summary>How many of a hundred clients leave before they have waited for long.</summary>
    public int ImpatientPercent { get; }

    /// <summary>How often the configuration changes, about.</summary>
    public int Reloads { get; }

    /// <summary>What somebody makes of the configuration. Backends and what their connections depend on stay.</summary>
    public static ProxyOptions Change(Random random, ProxyOptions options)
    {
        var cluster = options.Clusters[0];
        cluster = random.Next(8) switch
        {
            0 => cluster with { Algorithm = DrawAlgorithm(random) },
            1 => cluster with { Ejection = DrawEjection(random) },
            2 => cluster with { Retries = DrawRetries(random) },
            3 => cluster with { SlowStart = DrawSlowStart(random) },
            4 => cluster with { WhenNoneEligible = DrawNoneEligible(random) },
            5 => cluster with { Queue = DrawQueue(random) },
            6 => WithBackups(random, options).Clusters[0],
            _ => cluster with
            {
                Backends = [.. cluster.Backends.Select(backend => backend with { Weight = DrawWeight(random) })],
            },
        };
        return options with { Clusters = [cluster] };
    }

    private static ProxyOptions WithBackups(Random random, ProxyOptions options)
    {
        var cluster = options.Clusters[0];
        var backends = cluster.Backends.Select(backend => backend with
        {
            IsBackup = random.Next(3) == 0,
            Rank = random.Next(4) == 0 ? random.Next(3) : 0,
        });
        return options with { Clusters = [cluster with { Backends = [.. backends] }] };
    }

    private static int DrawWeight(Random random) => Weights[random.Next(Weights.Length)];

    private static string DrawAlgorithm(Random random)
        => ClusterOptions.Algorithms[random.Next(ClusterOptions.Algorithms.Count)];

    private static RetryOptions? DrawRetries(Random random) => random.Next(6) == 0
        ? null
        : RetryOptions.Default with { Attempts = random.Next(0, 5), BudgetPercent = random.Next(0, 60) };

    // In force only where connections are bounded.
    private static QueueOptions? DrawQueue(Random random) => random.Next(4) == 0
        ? null
        : new() { RequestsMax = random.Next(1, 13), Timeout = TimeSpan.FromMilliseconds(random.Next(50, 5_001)) };

    private static TimeSpan? DrawSlowStart(Random random)
        => random.Next(4) == 0 ? null : TimeSpan.FromSeconds(random.Next(1, 15));

    private static NoneEligibleRule DrawNoneEligible(Random random)
        => random.Next(3) == 0 ? NoneEligibleRule.UseAll : NoneEligibleRule.Refuse;

    private static ClusterOptions DrawCluster(Random random, int count, HealthOptions? health)
        => new()
        {
            Name = "web",
            Algorithm = DrawAlgorithm(random),
            Backends =
            [
                .. Enumerable.Range(1, count).Select(number => new BackendOptions
                {
                    Address = Address.Tcp($"10.0.0.{number}", 80),
                    Name = $"web-{number}",
                    Weight = DrawWeight(random),
                    Health = health,
                }),
            ],
            Pool = PoolOptions.Default with { ConnectionsMax = random.Next(2) == 0 ? 0 : random.Next(1, 6) },
            Timeouts = ClusterTimeoutOptions.Default with { Response = TimeSpan.FromSeconds(random.Next(1, 6)) },
            Health = health,
            Ejection = DrawEjection(random),
            Queue = DrawQueue(random),
            Retries = DrawRetries(random),
            SlowStart = DrawSlowStart(random),
            WhenNoneEligible = DrawNoneEligible(random),
        };

    private static HealthOptions DrawHealth(Random random)
    {
        var interval = TimeSpan.FromSeconds(random.Next(1, 6));
        return HealthOptions.Default with
        {
            Interval = interval,
            Timeout = interval / random.Next(1, 4),
            UnhealthyThreshold = random.Next(1, 4),
            HealthyThreshold = random.Next(1, 4),
            JitterPercent = random.Next(0, 101),
        };
    }

    private static EjectionOptions? DrawEjection(Random random)
    {
        if (random.Next(5) == 0)
            return null;

        var baseTime = TimeSpan.FromSeconds(random.Next(1, 6));
        return EjectionOptions.Default with
        {
            ConsecutiveFailures = random.Next(1, 7),
            FailurePercent = random.Next(3) == 0 ? 0 : random.Next(20, 90),
            MinimumRequests = random.Next(2, 30),
            Window = TimeSpan.FromSeconds(random.Next(1, 12)),
            BaseTime = baseTime,
            TimeMax = baseTime * random.Next(1, 10),
            Trials = random.Next(1, 5),
            Statuses = random.Next(3) == 0 ? [new(500, 599)] : [],
        };
    }
}
