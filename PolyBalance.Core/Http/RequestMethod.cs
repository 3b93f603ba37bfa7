namespace PolyBalance.Http;

/// <summary>The methods whose meaning PolyBalance knows. RFC 9110 §9.3, RFC 5789.</summary>
internal enum MethodKind : byte
{
    /// <summary>Any other token: forwarded as it is, and neither safe nor idempotent as far as we know.</summary>
    Other,

    /// <summary>RFC 9110 §9.3.1.</summary>
    Get,

    /// <summary>RFC 9110 §9.3.2: its response has no body.</summary>
    Head,

    /// <summary>RFC 9110 §9.3.3.</summary>
    Post,

    /// <summary>RFC 9110 §9.3.4.</summary>
    Put,

    /// <summary>RFC 9110 §9.3.5.</summary>
    Delete,

    /// <summary>RFC 9110 §9.3.7: the only one that may use the asterisk-form.</summary>
    Options,

    /// <summary>RFC 5789.</summary>
    Patch,

    /// <summary>RFC 9110 §9.3.8.</summary>
    Trace,

    /// <summary>RFC 9110 §9.3.6: refused, a gateway is no tunnel.</summary>
    Connect,
}

/// <summary>What a method allows us to do: above all whether a request may be sent twice. RFC 9110 §9.2.</summary>
/// <param name="Kind">Which method it is.</param>
internal readonly record struct RequestMethod(MethodKind Kind)
{
    /// <summary>Whether the client asks for no change of state. RFC 9110 §9.2.1.</summary>
    public bool IsSafe => Kind is MethodKind.Get or MethodKind.Head or MethodKind.Options or MethodKind.Trace;

    /// <summary>Whether two equal requests have the intended effect of one. RFC 9110 §9.2.2.</summary>
    public bool IsIdempotent => IsSafe || Kind is MethodKind.Put or MethodKind.Delete;

    /// <summary>Whether it is HEAD, whose response ends with its head. RFC 9110 §9.3.2.</summary>
    public bool IsHead => Kind == MethodKind.Head;

    /// <summary>Recognises a method. RFC 9110 §9.1: case-sensitive, so <c>get</c> is another method than GET.</summary>
    public static RequestMethod Of(ReadOnlySpan<byte> token) => new(token switch
    {
        [(byte)'G', (byte)'E', (byte)'T'] => MethodKind.Get,
        [(byte)'H', ..] when token.SequenceEqual("HEAD"u8) => MethodKind.Head,
        [(byte)'P', (byte)'O', ..] when token.SequenceEqual("POST"u8) => MethodKind.Post,
        [(byte)'P', (byte)'U', (byte)'T'] => MethodKind.Put,
        [(byte)'P', (byte)'A', ..] when token.SequenceEqual("PATCH"u8) => MethodKind.Patch,
        [(byte)'D', ..] when token.SequenceEqual("DELETE"u8) => MethodKind.Delete,
        [(byte)'O', ..] when token.SequenceEqual("OPTIONS"u8) => MethodKind.Options,
        [(byte)'T', ..] when token.SequenceEqual("TRACE"u8) => MethodKind.Trace,
        [(byte)'C', ..] when token.SequenceEqual("CONNECT"u8) => MethodKind.Connect,
        _ => MethodKind.Other,
    });
}
