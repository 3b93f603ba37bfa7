namespace PolyBalance.Http;

/// <summary>
/// What forwarding adds to every request of one client connection, computed once and ready to copy. RFC 9110 §7.6.3,
/// RFC 7239.
/// </summary>
/// <remarks>Immutable; any thread.</remarks>
internal sealed class RequestAdditions
{
    private readonly byte[] _clientAddress;
    private readonly byte[] _forwardedForLine;
    private readonly byte[] _protoLine;
    private readonly byte[] _forwardedStart;

    /// <summary>Computes the additions of one connection.</summary>
    /// <param name="clientAddress">
    /// The client's IP address in ASCII: dotted or with colons, without brackets and port. Empty when there is none,
    /// as on a Unix socket: it is then written as <c>unknown</c> (RFC 7239 §6.2).
    /// </param>
    /// <param name="isTls">Whether the client speaks TLS to us.</param>
    /// <param name="trustClient">
    /// Whether the peer is in <c>trusted_proxies</c>, so that what it says of others is believed.
    /// </param>
    /// <param name="addForwarded">Whether <c>Forwarded</c> is added beside <c>X-Forwarded-*</c>.</param>
    public RequestAdditions(ReadOnlySpan<byte> clientAddress, bool isTls, bool trustClient, bool addForwarded)
    {
        var address = clientAddress.IsEmpty ? "unknown"u8 : clientAddress;
        var proto = isTls ? "https"u8 : "http"u8;

        IsTls = isTls;
        TrustsClient = trustClient;
        _clientAddress = [.. address];
        _forwardedForLine = [.. "X-Forwarded-For: "u8, .. address, .. "\r\n"u8];
        _protoLine = [.. "X-Forwarded-Proto: "u8, .. proto, .. "\r\n"u8];
        _forwardedStart = !addForwarded ? []
            : address.Contains((byte)':')
            ? [.. "Forwarded: for=\"["u8, .. address, .. "]\";proto="u8, .. proto]     // RFC 7239 §6.1
            : [.. "Forwarded: for="u8, .. address, .. ";proto="u8, .. proto];
        BytesMax = _clientAddress.Length + _forwardedForLine.Length + _protoLine.Length + _forwardedStart.Length;
    }

    /// <summary>Whether the client speaks TLS to us.</summary>
    public bool IsTls { get; }

    /// <summary>Whether the client's own <c>X-Forwarded-*</c> and <c>Forwarded</c> are kept.</summary>
    public bool TrustsClient { get; }

    /// <summary>The element that is appended to a list of addresses.</summary>
    public ReadOnlySpan<byte> ClientAddress => _clientAddress;

    /// <summary>A whole <c>X-Forwarded-For</c> line.</summary>
    public ReadOnlySpan<byte> ForwardedForLine => _forwardedForLine;

    /// <summary>A whole <c>X-Forwarded-Proto</c> line.</summary>
    public ReadOnlySpan<byte> ProtoLine => _protoLine;

    /// <summary>A <c>Forwarded</c> line up to where the host follows; empty when none is added.</summary>
    public ReadOnlySpan<byte> ForwardedStart => _forwardedStart;

    /// <summary>No head takes more than this from here. Unit: bytes.</summary>
    public int BytesMax { get; }
}
