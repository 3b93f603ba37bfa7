namespace PolyBalance.Balancing;

/// <summary>How busy a candidate would be with one request more, relative to its weight.</summary>
/// <param name="InFlight">Requests it has now.</param>
/// <param name="Weight">Its share.</param>
internal readonly record struct Load(int InFlight, int Weight)
{
    /// <summary>The load of a candidate at this moment. Counts of several threads may be seen half done.</summary>
    public static Load Of(in Candidate candidate)
        => new(Math.Max(0, candidate.Backend.InFlight), candidate.Weight);

    /// <summary>Whether it has nothing to do. Its weight then says nothing about how busy it is.</summary>
    public bool IsIdle => InFlight == 0;

    /// <summary>Whether it would be less busy than another: (in flight + 1) / weight, without dividing.</summary>
    public bool IsBelow(Load other) => (InFlight + 1L) * other.Weight < (other.InFlight + 1L) * Weight;
}
