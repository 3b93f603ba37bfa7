using PolyBalance.Backends;
using PolyBalance.Configuration;

namespace PolyBalance.Health;

/// <summary>What the monitor knows of one backend. Everything here is guarded by the monitor's lock.</summary>
internal sealed class BackendWatch
{
    /// <summary>Begins with a check and no result.</summary>
    public BackendWatch(string cluster, Address address, TimeProvider clock)
    {
        Cluster = cluster;
        Address = address;
        Places = new(address, clock);
    }

    /// <summary>Where the backend belongs.</summary>
    public string Cluster { get; }

    /// <summary>Where it listens.</summary>
    public Address Address { get; }

    /// <summary>The same, ready to connect to.</summary>
    public BackendAddress Places { get; }

    /// <summary>Whom the verdict is for. A reload may put another object at the same address.</summary>
    public required Backend Backend { get; set; }

    /// <summary>What is asked.</summary>
    public required HealthOptions Check { get; set; }

    /// <summary>What the answers say.</summary>
    public required HealthState State { get; set; }

    /// <summary>Whether it is known whether the backend works, by a probe or by whoever was here before.</summary>
    public bool HasVerdict => State.Verdict != Verdict.Unknown || State.Last is not null;

    /// <summary>Counts checks: a probe of an earlier one says nothing about this one.</summary>
    public int Generation { get; set; }

    /// <summary>Fires when the next probe is due.</summary>
    public ITimer? Timer { get; set; }

    /// <summary>When that is; null while a probe runs or waits.</summary>
    public DateTimeOffset? NextCheck { get; set; }

    /// <summary>Whether a probe runs now. There is never more than one.</summary>
    public bool IsProbing { get; set; }

    /// <summary>Whether a probe is due and waits for others to end.</summary>
    public bool IsWaiting { get; set; }

    /// <summary>Whether the backend has left the configuration, or is probed no more.</summary>
    public bool IsRetired { get; set; }

    /// <summary>Whether an answer was something else than a failure with 404.</summary>
    public bool HasAnsweredOtherwise { get; set; }

    /// <summary>Asks something else from now on: nothing that was found out before counts.</summary>
    public void Begin(HealthOptions check)
    {
        Check = check;
        State = new(check.HealthyThreshold, check.UnhealthyThreshold);
        Generation++;
        HasAnsweredOtherwise = false;
    }

    /// <summary>Begins or ends the backend's draining by what it has answered.</summary>
    /// <remarks>
    /// A probe takes back what a probe has asked for. Who has been away has been restarted, most likely: what it asked
    /// for before is over.
    /// </remarks>
    /// <param name="answer">What it has answered.</param>
    /// <param name="hasComeBack">Whether it has just become healthy after it was not.</param>
    public void ObserveDrain(in ProbeAnswer answer, bool hasComeBack)
    {
        if (answer.WantsDrain)
            Backend.BeginDrain(DrainCauses.Probe);
        else if (hasComeBack)
            Backend.EndDrain(DrainCauses.Probe | DrainCauses.Response, "it was away and is back");
        else if (answer.Passed)
            Backend.EndDrain(DrainCauses.Probe, "a probe passed without asking for it");
    }
}
