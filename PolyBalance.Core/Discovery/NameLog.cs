using Microsoft.Extensions.Logging;
using PolyBalance.Configuration;
using PolyBalance.Telemetry;

namespace PolyBalance.Discovery;

/// <summary>What operators are told of names: once when something changes, never for each look-up.</summary>
/// <param name="logger">Where it goes.</param>
internal sealed class NameLog(ILogger logger)
{
    private const int ShownMax = 10;

    /// <summary>Tells what one look-up has changed.</summary>
    /// <param name="watch">Of which name.</param>
    /// <param name="news">The changes.</param>
    /// <param name="before">The places that were in use before.</param>
    /// <param name="hold">How long places stay that are gone.</param>
    public void Tell(NameWatch watch, NameNews news, EquatableArray<FoundPlace> before, TimeSpan hold)
    {
        var (name, now) = (watch.Key.ToString(), watch.State.Places);
        if (news.HasBegunToFail)
            Log.NameFails(logger, name, news.Reason, now.Count);
        if (news.HasRecovered)
            Log.NameRecovered(logger, name);
        if (news.HasBegunToBeEmpty && now.Count > 0)
            Log.NameIsHeld(logger, name, news.Reason, now.Count, hold);
        else if (news.HasBegunToBeEmpty)
            Log.NameIsEmpty(logger, name, news.Reason);
        if (news.IsGivenUp)
            Log.NameIsGivenUp(logger, name, before.Count, hold);
        if (news.CutOff > 0)
            Log.NameIsCutOff(logger, name, now.Count + news.CutOff, news.CutOff, Limits.AddressesPerNameMax);
        if (!news.HasChanged)
            return;

        var (added, removed) = (now.Except(before).ToList(), before.Except(now).ToList());
        Log.NameChanged(
            logger, name, added.Count, removed.Count, now.Count,
            string.Join(' ', added.Select(place => "+" + Text(place)).Concat(
                removed.Select(place => "-" + Text(place))).Take(ShownMax)));
    }

    /// <summary>The gateway begins to listen without the backends of a name.</summary>
    public void NotYet(NameWatch watch) => Log.NameNotYetKnown(logger, watch.Key.ToString());

    /// <summary>Places stay that the name does not have any more.</summary>
    public void Leaving(NameWatch watch, TimeSpan hold) => Log.NameLeaving(logger, watch.Key.ToString(), hold);

    /// <summary>Changes made at run time that concern backends which are gone.</summary>
    public void Superseded(IReadOnlyList<RuntimeChange> changes)
    {
        foreach (var change in changes)
            Log.ChangeOfGoneBackend(logger, change.ToString());
    }

    /// <summary>A loop has ended that should not have.</summary>
    public void Broken(NameWatch watch, Exception bug) => Log.NameWatchFailed(logger, watch.Key.ToString(), bug);

    private static string Text(FoundPlace place)
        => (place.Port == 0 ? place.Host : Address.Tcp(place.Host, place.Port).ToString())
            + (place.Rank == 0 ? "" : " (backup)");
}
