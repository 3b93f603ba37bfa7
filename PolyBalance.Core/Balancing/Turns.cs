using System.Collections.Immutable;
using PolyBalance.Backends;

namespace PolyBalance.Balancing;

/// <summary>Picks in the order of a <see cref="Schedule"/>: exact shares, whatever the load.</summary>
internal sealed class Turns(ImmutableArray<Candidate> candidates, TurnCounter counter) : Selector, ITakesTurns
{
    // So often somebody who may not be picked is passed over in the schedule; then the rest is drawn from.
    private const int TurnsTried = 8;

    private readonly Backend[] _schedule = Schedule.Of(candidates);
    private readonly Lottery _rest = new(candidates);

    /// <inheritdoc/>
    public TurnCounter Counter { get; } = counter;

    /// <inheritdoc/>
    public override Backend? Pick(in SelectionContext context)
    {
        if (_schedule.Length == 0)
            return null;

        for (var step = 0; step < TurnsTried; step++)
        {
            // A new turn for each try: had the neighbour in the schedule all turns of one that is excluded, it would
            // get twice its share.
            var turn = context.IsRetry ? Counter.NextOfRetries(context) : Counter.Next(context);
            var backend = _schedule[(int)(turn % (ulong)_schedule.Length)];
            if (context.Accepts(backend))
                return backend;
        }

        var draws = new Draws(context.Draw);
        var drawn = _rest.Draw(context, ref draws);
        return drawn < 0 ? null : candidates[drawn].Backend;
    }

    /// <inheritdoc/>
    public override string[] Weigh(in SelectionContext context)
    {
        var glance = new SelectionContext(context.Key, context.Now, context.Draw, default, glance: new Glance());
        var next = context.IsRetry ? Counter.NextOfRetries(glance) : Counter.Next(glance);
        var turns = new Dictionary<Backend, int>(candidates.Length);
        for (var step = 0; step < _schedule.Length && turns.Count < candidates.Length; step++)
            turns.TryAdd(_schedule[(int)((next + (ulong)step) % (ulong)_schedule.Length)], step);

        var remarks = new string[candidates.Length];
        for (var index = 0; index < remarks.Length; index++)
            remarks[index] = Remark.OfTurn(turns[candidates[index].Backend]);
        return remarks;
    }
}
