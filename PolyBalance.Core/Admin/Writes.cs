using System.Globalization;
using PolyBalance.Configuration;
using PolyBalance.Topology;

namespace PolyBalance.Admin;

/// <summary>
/// Changes at run time, one after the other: each sees what the one before has left, and says what it would do only if
/// nobody was faster.
/// </summary>
/// <remarks>Any thread. RFC 9110 §13.1.1 for If-Match.</remarks>
internal sealed class Writes(GatewayView gateway)
{
    // Two processes must never mean different states by one tag.
    private readonly string _process = Random.Shared.NextInt64().ToString("x", CultureInfo.InvariantCulture);

    /// <summary>The tag of a state: every write and every reload makes another one.</summary>
    public string TagOf(Snapshot snapshot)
        => string.Create(CultureInfo.InvariantCulture, $"\"{_process}-{snapshot.Config.Revision}\"");

    /// <summary>The field line with the tag.</summary>
    public string LineOf(Snapshot snapshot) => $"ETag: {TagOf(snapshot)}\r\n";

    /// <summary>Makes a change, unless it turns out to be impossible.</summary>
    /// <param name="request">Who orders it.</param>
    /// <param name="decide">
    /// What is to apply afterwards, or the answer that refuses. On the store's loop: it must not wait.
    /// </param>
    /// <param name="tell">The answer, from the snapshot with the change.</param>
    public Task<AdminAnswer> ChangeAsync(
        AdminRequest request, Func<Snapshot, (RuntimeChanges? Changes, AdminAnswer? Refusal)> decide,
        Func<Snapshot, AdminAnswer> tell)
        => gateway.Store.ChangeAsync(
            found =>
            {
                if (request.IfMatch.Length > 0 && !Matches(request.IfMatch, TagOf(found)))
                {
                    return (found, AdminAnswer.Refused(
                        412, "precondition_failed", "Somebody has changed the configuration meanwhile; read it again",
                        LineOf(found)));
                }

                if (gateway.IsHandingOver())
                    return (found, UpgradeAdmin.UnderWay);

                var (changes, refusal) = decide(found);
                if (changes is null)
                    return (found, refusal!);

                var next = gateway.Builder.Change(changes, found);
                var answer = tell(next);
                return (next, answer with { Lines = LineOf(next) + answer.Lines });
            },
            gateway.Stop);

    private static bool Matches(string condition, string tag)
        => condition.Split(',').Any(one => one.Trim() is "*" || one.Trim() == tag);
}
