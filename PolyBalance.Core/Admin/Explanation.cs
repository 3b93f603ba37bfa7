using System.Text.Json.Serialization;

namespace PolyBalance.Admin;

/// <summary>What would become of a request now, and why: <c>POST /admin/explain</c>.</summary>
internal sealed record Explanation
{
    /// <summary>The request as it was understood: method, host and target.</summary>
    public required string Request { get; init; }

    /// <summary>The configuration that decides.</summary>
    public required long Generation { get; init; }

    /// <summary>send, wait or refuse.</summary>
    public required string Decision { get; init; }

    /// <summary>The id of the backend that gets it, or that it waits for; null: nobody in particular.</summary>
    public string? Backend { get; init; }

    /// <summary>The decision in a sentence.</summary>
    public required string Why { get; init; }

    /// <summary>
    /// Whether chance has a part in it: the next request may well go to another backend, by the odds that are given.
    /// </summary>
    public bool Drawn { get; init; }

    /// <summary>The status that the client would get from us; 0: a backend answers.</summary>
    public int Status { get; init; }

    /// <summary>The reason as the log and the metrics have it; empty: none.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Every route up to the one that matches.</summary>
    public IReadOnlyList<RouteExplanation> Routes { get; init; } = [];

    /// <summary>Where the route leads; null: there is none.</summary>
    public string? Cluster { get; init; }

    /// <summary>How its backends are picked; null: there is no route.</summary>
    public string? Algorithm { get; init; }

    /// <summary>What the request is hashed by; null: its cluster does not hash.</summary>
    public string? Key { get; init; }

    /// <summary>What its cookie says; null: its cluster has no sticky sessions.</summary>
    public string? Session { get; init; }

    /// <summary>Requests of the cluster that wait for a place.</summary>
    public int Waiting { get; init; }

    /// <summary>All backends of the cluster.</summary>
    public IReadOnlyList<BackendExplanation> Backends { get; init; } = [];

    /// <summary>Who would be asked next, should each one before fail without an answer; ids.</summary>
    public IReadOnlyList<string> Then { get; init; } = [];

    /// <summary>Whether there would be another attempt, and why.</summary>
    public string Retries { get; init; } = "";
}

/// <summary>Whether a route is the request's.</summary>
/// <param name="Route">Its host and path.</param>
/// <param name="Cluster">Where it leads.</param>
/// <param name="Matches">Whether the request takes it.</param>
/// <param name="Why">What differs; null: nothing.</param>
internal sealed record RouteExplanation(
    string Route, string Cluster, bool Matches,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Why = null);

/// <summary>Why a backend is chosen or not.</summary>
/// <param name="Id">What paths call it.</param>
/// <param name="Address">Where it listens.</param>
/// <param name="State">healthy, unhealthy, unknown, draining, ejected or on_trial.</param>
/// <param name="Eligible">Whether it may get new requests.</param>
/// <param name="Chosen">Whether it gets this one.</param>
/// <param name="InFlight">Exchanges and tunnels it works on.</param>
/// <param name="Why">What speaks for or against it.</param>
internal sealed record BackendExplanation(
    string Id, string Address, string State, bool Eligible, bool Chosen, int InFlight, string Why);
