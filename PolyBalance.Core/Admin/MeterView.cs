using System.Diagnostics.Metrics;
using System.Globalization;
using PolyBalance.Telemetry;

namespace PolyBalance.Admin;

/// <summary>
/// The figures of <c>GET /metrics</c> as instruments of a <see cref="Meter"/>, under the same names and labels: for
/// whoever looks into the process from outside, such as dotnet-counters, or collects its meters.
/// </summary>
/// <remarks>
/// Any thread. Instruments count nothing: they read, when somebody collects, what is counted anyway. While nobody
/// listens they cost nothing. A histogram is shown as its buckets, its sum and its count.
/// </remarks>
internal sealed class MeterView : IDisposable
{
    // A listener asks for one instrument after the other, and all of them are read at once: so all are as of one
    // moment, and reading costs as much as a scrape.
    private const long FreshMilliseconds = 500;

    private readonly Meter _meter = new(SpanSource.Name);
    private readonly MetricsText _figures;
    private readonly Lock _gate = new();        // guards all fields below
    private Dictionary<string, List<Measurement<double>>> _left = [];   // read, and not asked for yet
    private long _readAt;

    /// <summary>Makes the instruments.</summary>
    /// <param name="gateway">Whose figures they show.</param>
    public MeterView(GatewayView gateway)
    {
        _figures = new(gateway);
        foreach (var family in MetricFamilies.All)
        {
            if (family.Kind is MetricKind.Gauge or MetricKind.Summary)
                _meter.CreateObservableGauge(family.Name, () => Take(family.Name), UnitOf(family), family.Help);
            else if (family.Kind == MetricKind.Counter)
                AddCounter(family, "", UnitOf(family));
            else
                AddCounter(family, "_bucket", unit: null);
            if (family.Kind is MetricKind.Histogram or MetricKind.Summary)
            {
                AddCounter(family, "_sum", UnitOf(family));
                AddCounter(family, "_count", unit: null);
            }
        }
    }

    /// <summary>Whether an instrument is one of these.</summary>
    public bool Has(Instrument instrument) => ReferenceEquals(instrument.Meter, _meter);

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private static string? UnitOf(MetricFamily family)
        => family.Kind is MetricKind.Histogram or MetricKind.Summary
            || family.Name.Contains("_seconds", StringComparison.Ordinal)
                ? "s"
                : null;

    private void AddCounter(MetricFamily family, string suffix, string? unit)
    {
        var name = family.Name + suffix;
        _meter.CreateObservableCounter(name, () => Take(name), unit, family.Help);
    }

    private List<Measurement<double>> Take(string name)
    {
        lock (_gate)
        {
            var isFresh = Environment.TickCount64 - _readAt < FreshMilliseconds;
            if (isFresh && _left.Remove(name, out var measurements))
                return measurements;

            var reading = new Reading();
            _figures.Write(reading);
            (_left, _readAt) = (reading.Series, Environment.TickCount64);
            return _left.Remove(name, out measurements) ? measurements : [];
        }
    }

    /// <summary>All figures as of one moment.</summary>
    private sealed class Reading : MetricsWriter
    {
        private MetricFamily _family = null!;

        /// <summary>The measurements of each instrument, by its name.</summary>
        public Dictionary<string, List<Measurement<double>>> Series { get; } = [];

        /// <inheritdoc/>
        public override void Begin(MetricFamily family)
        {
            _family = family;
            // Also of what has no samples: who asks must not have everything read anew.
            string[] suffixes = family.Kind switch
            {
                MetricKind.Histogram => ["_bucket", "_sum", "_count"],
                MetricKind.Summary => ["", "_sum", "_count"],
                _ => [""],
            };
            foreach (var suffix in suffixes)
                Series[family.Name + suffix] = [];
        }

        /// <inheritdoc/>
        protected override void Put(
            string suffix, ReadOnlySpan<string> labels, string? extra, double extraValue, long value)
            => Put(suffix, labels, extra, extraValue, (double)value);

        /// <inheritdoc/>
        protected override void Put(
            string suffix, ReadOnlySpan<string> labels, string? extra, double extraValue, double value)
        {
            // A quantile of nothing is no measurement.
            if (double.IsNaN(value))
                return;

            var tags = new KeyValuePair<string, object?>[labels.Length + (extra is null ? 0 : 1)];
            for (var index = 0; index < labels.Length; index++)
                tags[index] = new(_family.Labels[index], labels[index]);
            if (extra is not null)
                tags[^1] = new(extra, Show(extraValue));
            Series[_family.Name + suffix].Add(new(value, tags));
        }

        private static string Show(double value)
            => double.IsPositiveInfinity(value) ? "+Inf" : value.ToString(CultureInfo.InvariantCulture);
    }
}
