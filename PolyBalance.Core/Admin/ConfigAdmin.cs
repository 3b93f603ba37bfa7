using PolyBalance.Configuration;

namespace PolyBalance.Admin;

/// <summary>The configuration as a whole: what applies, how far that is from the file, what a reload does.</summary>
internal sealed class ConfigAdmin(GatewayView gateway)
{
    /// <summary><c>GET /admin/config</c></summary>
    public AdminAnswer Show()
    {
        var snapshot = gateway.Store.Current;
        var groups = new Dictionary<string, Dictionary<string, string>>(StringComparer.Ordinal);
        foreach (var group in AppliedValues.Of(snapshot.Options))
            groups[group.Title] = group.Values.ToDictionary(value => value.Key, value => value.Value);
        return AdminAnswer.Of(
            new(snapshot.Config.Generation, snapshot.Config.Since, groups), AdminJson.Types.ConfigAnswer);
    }

    /// <summary><c>GET /admin/config/drift</c></summary>
    public AdminAnswer ShowDrift()
    {
        var snapshot = gateway.Store.Current;
        var difference = ConfigDifference.Between(snapshot.Config.Given, snapshot.Options);
        return AdminAnswer.Of(
            new(!difference.IsEmpty, Lines(snapshot.Config.Changes.All), difference.Added, difference.Removed,
                Lines(difference.Changed)),
            AdminJson.Types.DriftAnswer);
    }

    /// <summary><c>POST /admin/reload</c></summary>
    public async Task<AdminAnswer> ReloadAsync() => Describe(await gateway.ReloadAsync(), isApplied: true);

    /// <summary><c>POST /admin/plan</c>: of the file, or of the text that is sent as <c>config</c>.</summary>
    public async Task<AdminAnswer> PlanAsync(AdminRequest request)
    {
        var sent = default((string? Text, string? Name));
        if (request.Content.Length > 0)
        {
            var wrong = request.Read(
                gateway.Store.Current.Options,
                BindText,
                out sent);
            if (wrong is not null)
                return wrong;
        }

        return Describe(await gateway.PlanAsync(sent.Text, sent.Name), isApplied: false);
    }

    /// <summary>Reads a text that could be in the file.</summary>
    /// <param name="section">What was sent.</param>
    public static (string? Text, string? Name) BindText(ConfigSection section) => (
        section.Text("config", null, ConfigForm.Anything, "What would be in the file.", static text => text),
        section.Text("name", null, ConfigForm.Anything, "What errors call it.", static text => text));

    private static AdminAnswer Describe(ReloadOutcome outcome, bool isApplied)
    {
        if (outcome.Difference is not { } difference)
        {
            var sentence = isApplied ? "Not reloaded, and nothing has changed" : "It could not be reloaded";
            return AdminAnswer.Mistaken(422, "invalid_configuration", sentence, outcome.Errors);
        }

        return AdminAnswer.Of(
            new(
                isApplied, outcome.Generation, difference.Added, difference.Removed, Lines(difference.Changed),
                [.. outcome.Leaving.Select(one => new DrainingAnswer(one.Cluster, one.Backend, one.InFlight))],
                difference.Kept, Lines(difference.AtRestart), Lines(outcome.Kept), Lines(outcome.Superseded),
                [.. outcome.Warnings.Select(AdminAnswer.Describe)]),
            AdminJson.Types.ReloadAnswer) with
        {
            Outcome = $"generation {outcome.Generation}",
        };
    }

    private static string[] Lines<T>(IReadOnlyList<T> things)
        where T : notnull
        => [.. things.Select(thing => thing.ToString()!)];
}
