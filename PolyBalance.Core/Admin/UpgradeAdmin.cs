namespace PolyBalance.Admin;

/// <summary><c>POST /admin/upgrade</c>: has another process take over, and answers when it has.</summary>
internal sealed class UpgradeAdmin(GatewayView gateway)
{
    /// <summary>Why nothing else is done meanwhile.</summary>
    public const string UnderWayReason = "upgrade_under_way";

    /// <summary>The answer to whoever wants to change something meanwhile.</summary>
    public static AdminAnswer UnderWay { get; } = AdminAnswer.Refused(
        409, UnderWayReason, "An upgrade is under way, and the process that follows would not know; ask again");

    /// <summary>Starts the executable anew, and tells what came of it.</summary>
    public async Task<AdminAnswer> UpgradeAsync()
    {
        var outcome = await gateway.UpgradeAsync();
        if (outcome.Problem is { } problem)
            return AdminAnswer.Refused(outcome.Reason == "upgrade_failed" ? 500 : 409, outcome.Reason, problem);

        return AdminAnswer.Of(new(outcome.Process, outcome.Version), AdminJson.Types.UpgradeAnswer) with
        {
            Outcome = $"process {outcome.Process} ({outcome.Version}) has taken over",
        };
    }
}
