namespace PolyBalance.Http;

/// <summary>
/// What a backend tells the gateway about itself, in the field <c>X-PolyBalance</c> of a response: a list of words, of
/// which <c>drain</c> is known. The field is for us alone and crosses in neither direction.
/// </summary>
internal static class BackendSignal
{
    /// <summary>Whether a response asks for no new work.</summary>
    public static bool WantsDrain(Fields fields)
        => fields.Has(KnownField.XPolyBalance) && fields.ListContains(KnownField.XPolyBalance, "drain"u8);
}
