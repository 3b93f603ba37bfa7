using System.Text.Json.Serialization.Metadata;
using PolyBalance.Configuration;

namespace PolyBalance.Admin;

/// <summary>One thing that operators can ask or order, for their reference.</summary>
/// <param name="Method">The method; what GET answers, HEAD answers too.</param>
/// <param name="Path">With <c>{id}</c> where a backend is named.</param>
/// <param name="Summary">What it is for.</param>
/// <param name="Outcomes">What may come of it, besides <see cref="Operations.ForAll"/>.</param>
internal sealed record Operation(string Method, string Path, string Summary, params Outcome[] Outcomes)
{
    /// <summary>Reads its content, so that its keys are known; null: it has none.</summary>
    public Func<ConfigSection, object?>? Content { get; init; }

    /// <summary>Whether there must be content.</summary>
    public bool NeedsContent { get; init; }
}

/// <summary>One answer.</summary>
/// <param name="Status">Its status.</param>
/// <param name="Meaning">In a sentence, without a period.</param>
/// <param name="Type">What its JSON holds; null: it has none.</param>
/// <param name="MediaType">Of what it sends when that is no JSON; empty: nothing is sent.</param>
internal sealed record Outcome(int Status, string Meaning, JsonTypeInfo? Type = null, string MediaType = "");
