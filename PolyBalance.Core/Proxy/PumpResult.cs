namespace PolyBalance.Proxy;

/// <summary>How the pumping of a body ended.</summary>
internal enum PumpEnd : byte
{
    /// <summary>The whole body, trailer section included, was sent.</summary>
    Complete,

    /// <summary>The source ended or was reset before the end of the body.</summary>
    SourceEnded,

    /// <summary>The source paused for too long.</summary>
    SourceTimedOut,

    /// <summary>The sink takes nothing more.</summary>
    SinkFailed,

    /// <summary>The source's framing is broken; <see cref="PumpResult.Failure"/> says how.</summary>
    Malformed,

    /// <summary>There is more content than is allowed.</summary>
    TooLarge,

    /// <summary>It was told to stop.</summary>
    Stopped,
}

/// <summary>What a pump returns instead of touching the exchange.</summary>
/// <param name="End">How it ended.</param>
/// <param name="Failure">More about <see cref="PumpEnd.Malformed"/>.</param>
internal readonly record struct PumpResult(PumpEnd End, FailureKind Failure = FailureKind.None);

/// <summary>Sets the deadlines of one direction, and hears how it goes.</summary>
internal interface IBodyPace
{
    /// <summary>The source has nothing: until when may it think? In heartbeat time.</summary>
    long BeforeWait();

    /// <summary>The wait is over.</summary>
    void AfterWait();

    /// <summary>
    /// The sink is given something, and may take its time: until <see cref="AfterSend"/>, the next wait, or the end.
    /// </summary>
    void BeforeSend();

    /// <summary>The sink has taken something, and there is more.</summary>
    void AfterSend();

    /// <summary>The pump has ended. Last call; still on the flow that owns the source's input.</summary>
    void Ended(PumpEnd end);
}
