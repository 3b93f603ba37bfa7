namespace PolyBalance.Benchmarks.Compare.Figures;

/// <summary>How long the runs that are still to come will take.</summary>
internal sealed class Plan
{
    private readonly double _planned;
    private double _done;
    private double _taken;

    /// <summary>Plans a comparison.</summary>
    /// <param name="steps">How long each run should take. Unit: seconds.</param>
    public Plan(IEnumerable<double> steps) => _planned = steps.Sum();

    /// <summary>A run is over.</summary>
    /// <param name="planned">How long it should have taken. Unit: seconds.</param>
    /// <param name="taken">How long it took.</param>
    public void Finish(double planned, double taken)
    {
        _done += planned;
        _taken += taken;
    }

    /// <summary>What is left, at the pace so far.</summary>
    public TimeSpan Left
        => TimeSpan.FromSeconds(Math.Max(0, _planned - _done) * (_done > 0 ? _taken / _done : 1));
}
