using System.Buffers;
using System.Text.Json;
using PolyBalance.Backends;

namespace PolyBalance.Admin;

/// <summary>Whether traffic may be sent here: the answer to <c>GET /readyz</c>.</summary>
/// <remarks>
/// Nothing listens before a configuration is in force and the first probes are done or out of time, so that neither has
/// to be looked at again; a first verdict that is still missing is named only where it keeps a cluster from serving.
/// </remarks>
internal sealed class Readiness(GatewayView gateway)
{
    /// <summary>Why not; empty: it may.</summary>
    public List<string> Obstacles()
    {
        var obstacles = new List<string>();
        if (gateway.IsLeaving())
            obstacles.Add("draining");

        var snapshot = gateway.Store.Current;
        if (snapshot.Clusters.All(cluster => cluster.Eligible.IsEmpty))
        {
            obstacles.Add("no_eligible_backend");
            if (snapshot.Backends().Any(backend => backend.Verdict == Verdict.Unknown))
                obstacles.Add("first_probes_pending");
        }

        return obstacles;
    }

    /// <summary>The same as JSON.</summary>
    public static ReadOnlyMemory<byte> Describe(List<string> obstacles)
    {
        var json = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(json);
        writer.WriteStartObject();
        writer.WriteString("status"u8, obstacles.Count == 0 ? "ready" : "not_ready");
        writer.WriteStartArray("reasons"u8);
        foreach (var obstacle in obstacles)
            writer.WriteStringValue(obstacle);
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.Flush();
        json.Write("\n"u8);
        return json.WrittenMemory;
    }
}
