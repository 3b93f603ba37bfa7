using System.Text.Encodings.Web;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace PolyBalance.Admin;

/// <summary>How the answers of the admin listener become JSON.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, NewLine = "\n")]
[JsonSerializable(typeof(ErrorAnswer))]
[JsonSerializable(typeof(BackendsAnswer))]
[JsonSerializable(typeof(BackendAnswer))]
[JsonSerializable(typeof(HealthAnswer))]
[JsonSerializable(typeof(AlgorithmAnswer))]
[JsonSerializable(typeof(ReloadAnswer))]
[JsonSerializable(typeof(ConfigAnswer))]
[JsonSerializable(typeof(DriftAnswer))]
[JsonSerializable(typeof(ErrorsAnswer))]
[JsonSerializable(typeof(Explanation))]
[JsonSerializable(typeof(LiveAnswer))]
[JsonSerializable(typeof(UpgradeAnswer))]
[JsonSerializable(typeof(JsonObject))]
internal sealed partial class AdminAnswers : JsonSerializerContext;

/// <summary>The ones to use: quotation marks and arrows stay readable. What is sent as JSON is no page.</summary>
internal static class AdminJson
{
    /// <summary>All of them.</summary>
    public static readonly AdminAnswers Types = new(new(AdminAnswers.Default.Options)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    /// <summary>The same in one line.</summary>
    public static readonly AdminAnswers Lines = new(new(Types.Options) { WriteIndented = false });
}

/// <summary>Why something was not done.</summary>
/// <param name="Error">A sentence.</param>
/// <param name="Reason">The same as a word, for programs.</param>
/// <param name="Errors">Every mistake in what was sent or read, with its place; null: none has one.</param>
internal sealed record ErrorAnswer(
    string Error, string Reason,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    IReadOnlyList<MistakeAnswer>? Errors = null);

/// <summary>Who has taken over.</summary>
/// <param name="Process">The id of the process.</param>
/// <param name="Version">Its version.</param>
internal sealed record UpgradeAnswer(int Process, string Version);

/// <summary>One mistake, or one warning.</summary>
/// <param name="File">Where.</param>
/// <param name="Line">1-based; 0: not in a text.</param>
/// <param name="Column">1-based; 0: not in a text.</param>
/// <param name="Problem">What is wrong.</param>
/// <param name="Remedy">What to do about it; may be empty.</param>
/// <param name="Message">All of it as one line.</param>
internal sealed record MistakeAnswer(
    string File, int Line, int Column, string Problem, string Remedy, string Message);

/// <summary>All backends.</summary>
/// <param name="Generation">Of the configuration.</param>
/// <param name="Revision">Every write adds one.</param>
/// <param name="Backends">In the order of the file.</param>
internal sealed record BackendsAnswer(long Generation, long Revision, IReadOnlyList<BackendAnswer> Backends);

/// <summary>One backend, as it is now.</summary>
internal sealed record BackendAnswer
{
    /// <summary>What paths call it.</summary>
    public required string Id { get; init; }

    /// <summary>Where it belongs.</summary>
    public required string Cluster { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Where it listens.</summary>
    public required string Address { get; init; }

    /// <summary>The configured share.</summary>
    public required int Weight { get; init; }

    /// <summary>healthy, unhealthy, unknown, draining, ejected or on_trial.</summary>
    public required string State { get; init; }

    /// <summary>Why it is in that state.</summary>
    public required string Why { get; init; }

    /// <summary>Whether it may get new requests now.</summary>
    public required bool Eligible { get; init; }

    /// <summary>Whether the operator drains it.</summary>
    public required bool Drain { get; init; }

    /// <summary>Whether it is for when none of those before it can be used.</summary>
    public required bool Backup { get; init; }

    /// <summary>How much of its share it has come to after a recovery. Unit: percent.</summary>
    public required int ShareReached { get; init; }

    /// <summary>Exchanges and tunnels it works on.</summary>
    public required int InFlight { get; init; }

    /// <summary>Attempts so far.</summary>
    public required long Requests { get; init; }

    /// <summary>Attempts that failed because of it.</summary>
    public required long Failures { get; init; }

    /// <summary>Median time of an attempt since the start; null: none has ended.</summary>
    public required double? LatencyP50Ms { get; init; }

    /// <summary>What 99 of 100 attempts stayed below since the start; null: none has ended.</summary>
    public required double? LatencyP99Ms { get; init; }

    /// <summary>Its connections.</summary>
    public required PoolAnswer Pool { get; init; }

    /// <summary>
    /// file, runtime for one that was added over the admin listener, or what it was found by: dns or srv and a name.
    /// </summary>
    public required string Source { get; init; }
}

/// <summary>The connections to one backend.</summary>
/// <param name="Open">All.</param>
/// <param name="Idle">Those of them that wait to be used.</param>
/// <param name="LearnedIdleLimitMs">After how long idle it closes them itself; null: that is not known.</param>
internal sealed record PoolAnswer(int Open, int Idle, double? LearnedIdleLimitMs);

/// <summary>What probes know.</summary>
/// <param name="Backends">In the order of the file.</param>
internal sealed record HealthAnswer(IReadOnlyList<BackendHealthAnswer> Backends);

/// <summary>What probes know of one backend.</summary>
/// <param name="Cluster">Where it belongs.</param>
/// <param name="Backend">Its name.</param>
/// <param name="Address">Where it listens.</param>
/// <param name="State">healthy, unhealthy or unknown.</param>
/// <param name="LastCheck">When the latest probe began; null: there was none.</param>
/// <param name="ConsecutivePasses">Since the last failure.</param>
/// <param name="ConsecutiveFailures">Since the last pass.</param>
/// <param name="LastError">Why the last one that failed did; null: none has.</param>
/// <param name="NextCheck">When the next probe is due; null: now, or never.</param>
/// <param name="History">The latest ones, the oldest first.</param>
internal sealed record BackendHealthAnswer(
    string Cluster, string Backend, string Address, string State, DateTimeOffset? LastCheck, int ConsecutivePasses,
    int ConsecutiveFailures, string? LastError, DateTimeOffset? NextCheck, IReadOnlyList<ProbeReport> History);

/// <summary>One probe.</summary>
/// <param name="Time">When it began.</param>
/// <param name="Passed">Whether it passed.</param>
/// <param name="Reason">Why.</param>
/// <param name="DurationMs">How long it took.</param>
internal sealed record ProbeReport(DateTimeOffset Time, bool Passed, string Reason, double DurationMs);

/// <summary>How backends are picked.</summary>
/// <param name="Algorithm">That of the only cluster; null: there are several.</param>
/// <param name="Clusters">That of each.</param>
/// <param name="Available">What there is.</param>
internal sealed record AlgorithmAnswer(
    string? Algorithm, IReadOnlyList<ClusterAlgorithmAnswer> Clusters, IReadOnlyList<string> Available);

/// <summary>How the backends of one cluster are picked.</summary>
/// <param name="Cluster">Its name.</param>
/// <param name="Algorithm">The algorithm's canonical name.</param>
internal sealed record ClusterAlgorithmAnswer(string Cluster, string Algorithm);

/// <summary>What a reload has done, or would do.</summary>
/// <param name="Applied">Whether it is in force.</param>
/// <param name="Generation">Which configuration is.</param>
/// <param name="Added">Listeners, routes, clusters and backends that came.</param>
/// <param name="Removed">Those that went.</param>
/// <param name="Changed">Values that are other ones.</param>
/// <param name="Draining">Backends that went and have something to finish.</param>
/// <param name="Kept">What stayed as it is, connections and all.</param>
/// <param name="NeedsRestart">Values that are other ones and are taken up at the next start.</param>
/// <param name="RuntimeKept">Changes made at run time that still apply.</param>
/// <param name="RuntimeSuperseded">Changes made at run time that the file has overruled.</param>
/// <param name="Warnings">What deserves a look.</param>
internal sealed record ReloadAnswer(
    bool Applied, long Generation, IReadOnlyList<string> Added, IReadOnlyList<string> Removed,
    IReadOnlyList<string> Changed, IReadOnlyList<DrainingAnswer> Draining, IReadOnlyList<string> Kept,
    IReadOnlyList<string> NeedsRestart, IReadOnlyList<string> RuntimeKept, IReadOnlyList<string> RuntimeSuperseded,
    IReadOnlyList<MistakeAnswer> Warnings);

/// <summary>A backend that finishes what it has.</summary>
/// <param name="Cluster">Where it was.</param>
/// <param name="Backend">Its name.</param>
/// <param name="InFlight">Exchanges and tunnels that go on.</param>
internal sealed record DrainingAnswer(string Cluster, string Backend, int InFlight);

/// <summary>What applies.</summary>
/// <param name="Generation">Which configuration it is.</param>
/// <param name="Since">When it was taken up.</param>
/// <param name="Config">Every value, by <c>kind name</c> and key; secrets are not among them.</param>
internal sealed record ConfigAnswer(
    long Generation, DateTimeOffset Since, IReadOnlyDictionary<string, Dictionary<string, string>> Config);

/// <summary>How far what applies is from what the file says.</summary>
/// <param name="Drifted">Whether there is any difference.</param>
/// <param name="Changes">What operators have changed at run time.</param>
/// <param name="Added">What the file does not have.</param>
/// <param name="Removed">What only the file has.</param>
/// <param name="Changed">Values that differ.</param>
internal sealed record DriftAnswer(
    bool Drifted, IReadOnlyList<string> Changes, IReadOnlyList<string> Added, IReadOnlyList<string> Removed,
    IReadOnlyList<string> Changed);

/// <summary>Exchanges that failed, that needed more than one attempt, or whose response was slow to begin.</summary>
/// <param name="Exchanges">The latest first.</param>
/// <param name="NotKept">How many more there were, too many in one second to be kept.</param>
internal sealed record ErrorsAnswer(IReadOnlyList<FlightAnswer> Exchanges, long NotKept);

/// <summary>One of them, under the names of the access log.</summary>
internal sealed record FlightAnswer
{
    /// <summary>When the first byte of the request was there.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Whose it was.</summary>
    public required string ClientIp { get; init; }

    /// <summary>The method.</summary>
    public required string Method { get; init; }

    /// <summary>The request target with its query, cut off after 1 KiB.</summary>
    public required string Path { get; init; }

    /// <summary>The Host that was asked for.</summary>
    public required string Host { get; init; }

    /// <summary>Where it was routed; empty: nowhere.</summary>
    public required string Cluster { get; init; }

    /// <summary>The address of the last backend; empty: there was none.</summary>
    public required string Backend { get; init; }

    /// <summary>What the client got.</summary>
    public required int Status { get; init; }

    /// <summary>What failed; empty: nothing in the end.</summary>
    public required string Reason { get; init; }

    /// <summary>Who has to act: client, backend or gateway; empty: nothing failed in the end.</summary>
    public required string Side { get; init; }

    /// <summary>What it was at when it failed; empty: it did not.</summary>
    public required string Phase { get; init; }

    /// <summary>To the last byte of the response.</summary>
    public required double LatencyMs { get; init; }

    /// <summary>In which a place at a backend was waited for.</summary>
    public required double QueueMs { get; init; }

    /// <summary>In which connections to backends were waited for.</summary>
    public required double ConnectMs { get; init; }

    /// <summary>In which backends were waited for until the final response began.</summary>
    public required double TtfbMs { get; init; }

    /// <summary>In which the client was waited for.</summary>
    public required double ClientMs { get; init; }

    /// <summary>In which nobody was waited for.</summary>
    public required double OverheadMs { get; init; }

    /// <summary>Content from the client.</summary>
    public required long BytesIn { get; init; }

    /// <summary>Content to the client.</summary>
    public required long BytesOut { get; init; }

    /// <summary>The id that was forwarded and echoed.</summary>
    public required string RequestId { get; init; }

    /// <summary>The trace that it belongs to; empty when nobody traces.</summary>
    public required string TraceId { get; init; }

    /// <summary>Each attempt, in its order; empty when the only one went well.</summary>
    public required IReadOnlyList<AttemptAnswer> Attempts { get; init; }
}

/// <summary>One try at one backend.</summary>
/// <param name="Backend">Its address.</param>
/// <param name="Status">What it answered; 0: nothing.</param>
/// <param name="Reason">How it failed; empty: it did not.</param>
/// <param name="DurationMs">How long it took.</param>
/// <param name="ConnectMs">How long a connection was waited for.</param>
/// <param name="TtfbMs">How long it took to the head of the final response; 0: there was none.</param>
/// <param name="Reused">Whether its connection had carried an exchange before.</param>
internal sealed record AttemptAnswer(
    string Backend, int Status, string Reason, double DurationMs, double ConnectMs, double TtfbMs, bool Reused);
