using PolyBalance.Configuration;
using PolyBalance.Transport;

namespace PolyBalance.Backends;

/// <summary>Whether the end of an attempt speaks for its backend.</summary>
internal enum Evidence : byte
{
    /// <summary>It says nothing: the client left, or we refused.</summary>
    None,

    /// <summary>The backend answered.</summary>
    For,

    /// <summary>The backend failed, or answered with a status that counts as failure.</summary>
    Against,
}

/// <summary>
/// When a backend is ejected and when it comes back: <see cref="EjectionOptions"/> with times in heartbeat ticks.
/// </summary>
internal sealed class EjectionRules
{
    private readonly EjectionOptions _options;

    /// <summary>Translates what the user wrote.</summary>
    public EjectionRules(EjectionOptions options, Heartbeat heartbeat)
    {
        _options = options;
        Window = heartbeat.Ticks(options.Window);
        BaseTime = heartbeat.Ticks(options.BaseTime);
        TimeMax = heartbeat.Ticks(options.TimeMax);
        Pause = heartbeat.Ticks(TimeSpan.FromSeconds(1));
        MentionEvery = heartbeat.Ticks(TimeSpan.FromMinutes(1));
    }

    /// <summary>What the user wrote.</summary>
    public EjectionOptions Options => _options;

    /// <summary>How far back the share of failures looks.</summary>
    public long Window { get; }

    /// <summary>How long the first ejection lasts.</summary>
    public long BaseTime { get; }

    /// <summary>How long an ejection lasts at most.</summary>
    public long TimeMax { get; }

    /// <summary>How long a backend whose ejection was refused is left in peace.</summary>
    public long Pause { get; }

    /// <summary>How often the log says at most that an ejection was refused.</summary>
    public long MentionEvery { get; }

    /// <summary>
    /// What the end of an attempt says. A stale connection, a full pool or a client that left say nothing; an answer of
    /// 4xx is an answer, and so is one that the client did not get because another backend was asked.
    /// </summary>
    public Evidence Weigh(in AttemptOutcome outcome)
    {
        if (Failure.Of(outcome.Failure).Side == Side.Backend)
            return Evidence.Against;
        if (!outcome.IsAnswer)
            return Evidence.None;

        foreach (var range in _options.Statuses)
        {
            if (range.Contains(outcome.Status))
                return Evidence.Against;
        }

        return Evidence.For;
    }
}
