using System.Text.Json.Serialization;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Telemetry;

namespace PolyBalance.Server;

/// <summary>Everything that one process tells the one that takes over, besides the sockets themselves.</summary>
/// <remarks>
/// JSON between two versions of PolyBalance: what one side does not know it leaves out, or leaves alone. Only a change
/// that the other side must not leave alone makes another <see cref="Format"/>.
/// </remarks>
internal sealed record HandoverState
{
    /// <summary>The format that this version reads and writes.</summary>
    public const int OwnFormat = 1;

    /// <summary>Which format it is in.</summary>
    public int Format { get; init; } = OwnFormat;

    /// <summary>What each of the files that follow is, in their order.</summary>
    public IReadOnlyList<HandedSocket> Sockets { get; init; } = [];

    /// <summary>What operators have changed at run time.</summary>
    public IReadOnlyList<CarriedChange> Changes { get; init; } = [];

    /// <summary>What was found for names.</summary>
    public IReadOnlyList<HandedName> Names { get; init; } = [];

    /// <summary>The keys for sessions of clusters whose configuration has none, in base64, by cluster.</summary>
    public Dictionary<string, string> Keys { get; init; } = [];

    /// <summary>What is known of backends.</summary>
    public IReadOnlyList<BackendLegacy> Backends { get; init; } = [];

    /// <summary>What was counted so far; more follows until the other process has ended.</summary>
    public Dictionary<string, Dictionary<string, long>> Counters { get; init; } = [];
}

/// <summary>A socket that listens.</summary>
/// <param name="Address">Where it was asked to listen.</param>
/// <param name="IsKept">Whether somebody else keeps it, as systemd does, and its end is not ours to decide.</param>
internal sealed record HandedSocket(string Address, bool IsKept);

/// <summary>A name and what was found for it.</summary>
/// <param name="Kind">What is looked up.</param>
/// <param name="Name">Of which name.</param>
/// <param name="Places">The places.</param>
internal sealed record HandedName(LookUpKind Kind, string Name, IReadOnlyList<FoundPlace> Places);

/// <summary>What a process that has taken over says of itself.</summary>
/// <param name="Version">Its version.</param>
internal sealed record ReadyReport(string Version);

/// <summary>How they become JSON.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault, IgnoreReadOnlyProperties = true)]
[JsonSerializable(typeof(HandoverState))]
[JsonSerializable(typeof(ReadyReport))]
[JsonSerializable(typeof(Dictionary<string, Dictionary<string, long>>))]
[JsonSerializable(typeof(Flight[]))]
internal sealed partial class HandoverJson : JsonSerializerContext;
