namespace PolyBalance.Admin;

/// <summary>What came of an order to upgrade.</summary>
/// <param name="Problem">Why nothing came of it, a sentence; null: another process has taken over.</param>
/// <param name="Reason">The same as a word, for programs; empty when there is no problem.</param>
/// <param name="Process">The id of the process that has taken over.</param>
/// <param name="Version">Its version.</param>
public sealed record UpgradeOutcome(string? Problem, string Reason, int Process, string Version)
{
    /// <summary>Nobody here could start another process.</summary>
    public static readonly UpgradeOutcome Impossible = CannotBe("This gateway was not started by itself.");

    /// <summary>Another process has taken over.</summary>
    /// <param name="process">Its id.</param>
    /// <param name="version">Its version.</param>
    public static UpgradeOutcome Done(int process, string version) => new(null, "", process, version);

    /// <summary>It was tried, and this process goes on.</summary>
    /// <param name="problem">Why.</param>
    public static UpgradeOutcome Failed(string problem) => new(problem, "upgrade_failed", 0, "");

    /// <summary>It cannot even be tried.</summary>
    /// <param name="problem">Why.</param>
    public static UpgradeOutcome CannotBe(string problem) => new(problem, "upgrade_impossible", 0, "");

    /// <summary>Another one is under way.</summary>
    public static readonly UpgradeOutcome UnderWay =
        new("An upgrade is under way already", UpgradeAdmin.UnderWayReason, 0, "");
}
