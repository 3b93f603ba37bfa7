namespace PolyBalance;

/// <summary>Every hard limit of the product. Nothing in PolyBalance grows without one of these.</summary>
/// <remarks>Some may be set in the configuration file; these are then the defaults and the ceilings.</remarks>
internal static class Limits
{
    /// <summary>Default bound on a request or response head: start line and header section. Unit: bytes.</summary>
    public const int HeadBytesDefault = 32 * 1024;

    /// <summary>What <c>limits.head</c> may be set to at most. Unit: bytes.</summary>
    public const int HeadBytesMax = 60 * 1024;

    /// <summary>What <c>limits.head</c> may be set to at least. Unit: bytes.</summary>
    public const int HeadBytesMin = 1024;

    /// <summary>A request target. RFC 9112 §3 asks for at least 8000. Unit: bytes.</summary>
    public const int RequestTargetBytesMax = 8 * 1024;

    /// <summary>Default bound on the field lines of one section. Unit: field lines.</summary>
    public const int FieldLinesDefault = 128;

    /// <summary>What <c>limits.fields</c> may be set to at most. Unit: field lines.</summary>
    public const int FieldLinesMax = 1024;

    /// <summary>A chunk-size line with its extensions. Unit: bytes.</summary>
    public const int ChunkLineBytesMax = 256;

    /// <summary>A trailer section. Unit: bytes.</summary>
    public const int TrailerBytesMax = 8 * 1024;

    /// <summary>Interim (1xx) responses that a backend may send before the final one.</summary>
    public const int InterimResponsesMax = 64;

    /// <summary>A small block: heads, small bodies. Unit: bytes.</summary>
    public const int SmallBlockBytes = 16 * 1024;

    /// <summary>A large block: bodies in bulk, and any head with what forwarding adds to it. Unit: bytes.</summary>
    public const int LargeBlockBytes = 128 * 1024;

    /// <summary>
    /// So much content that is still to come passes from socket to socket, where the transport can do that; less is not
    /// worth the trouble. Unit: bytes.
    /// </summary>
    public const int RelayBytesMin = 128 * 1024;

    /// <summary>
    /// Relays that one loop has open: each holds two file descriptors and up to 512 KiB of the kernel's memory for as
    /// long as its peer takes nothing. More bodies go the usual way.
    /// </summary>
    public const int RelaysMax = 256;

    /// <summary>
    /// File descriptors that connections never get: program files, logs, threads, name look-ups, operators, and clients
    /// who are being told that there is no room.
    /// </summary>
    public const int FilesReserved = 320;

    /// <summary>A limit of file descriptors below this is worth a warning. Unit: file descriptors.</summary>
    public const int FilesRecommended = 4_096;

    /// <summary>Clients of one listening socket that the system lets wait to be accepted.</summary>
    public const int BacklogMax = 4_096;

    /// <summary>Relays of a loop that are kept for reuse when nobody needs them.</summary>
    public const int RelaysKept = 32;

    /// <summary>
    /// Request content kept for a second attempt. Default of <c>retries.replay_buffer</c>. Unit: bytes.
    /// </summary>
    public const int ReplayBytesDefault = 64 * 1024;

    /// <summary>What <c>retries.replay_buffer</c> may be set to at most. Unit: bytes.</summary>
    public const int ReplayBytesMax = 16 * 1024 * 1024;

    /// <summary>
    /// Attempts of one exchange, the first one included: what <c>retries.attempts</c> allows at most, plus one.
    /// </summary>
    public const int AttemptsMax = 8;

    /// <summary>
    /// What is read from a client and thrown away after an early final response before it is closed. Unit: bytes.
    /// </summary>
    public const int LingerBytesMax = 256 * 1024;

    /// <summary>Idle connections of one pool, whatever its configuration says.</summary>
    public const int ConnectionsPerBackendMax = 65_536;

    /// <summary>Connections to the admin listener, so that a flood there cannot eat what clients need.</summary>
    public const int OperatorConnectionsMax = 64;

    /// <summary>
    /// Who may watch the stream of states at once: the other connections of operators are for asking and ordering.
    /// </summary>
    public const int ViewersMax = OperatorConnectionsMax / 2;

    /// <summary>Suspended calls of one async method whose memory is kept for reuse.</summary>
    public const int SuspendedCallsKept = 4_096;

    /// <summary>Small blocks kept for reuse when nobody needs them.</summary>
    public const int SmallBlocksKept = 2_048;

    /// <summary>Large blocks kept for reuse when nobody needs them.</summary>
    public const int LargeBlocksKept = 128;

    /// <summary>Connects to one backend under way at once; who needs another waits.</summary>
    public const int ConnectsAtOnce = 16;

    /// <summary>The same while a backend is on trial or starts slowly.</summary>
    public const int ConnectsAtOnceWhileRamping = 4;

    /// <summary>
    /// How often a pick is repeated because others took the last place at the picked backend first; then it counts as
    /// full.
    /// </summary>
    public const int PlacesLostMax = 16;

    /// <summary>Requests of one cluster that wait for a backend: default of <c>queue.size</c>.</summary>
    public const int QueuedRequestsDefault = 1_024;

    /// <summary>What <c>queue.size</c> may be set to at most.</summary>
    public const int QueuedRequestsMax = 65_536;

    /// <summary>Name of the cookie of sticky sessions. Unit: characters.</summary>
    public const int CookieNameLengthMax = 64;

    /// <summary>Cookies of that name in one request that are looked at; each costs a hash for every key.</summary>
    public const int StickyCookiesMax = 4;

    /// <summary>Keys in one file of signing keys.</summary>
    public const int SigningKeysMax = 4;

    /// <summary>What a signing key has at least. Unit: characters.</summary>
    public const int SigningKeyLengthMin = 32;

    /// <summary>Topology changes waiting to be applied.</summary>
    public const int PendingChangesMax = 1_024;

    /// <summary>The weight of a backend.</summary>
    public const int WeightMax = 1_000;

    /// <summary>Probes at once, over all clusters: default of <c>max_concurrent_probes</c>.</summary>
    public const int ConcurrentProbesDefault = 64;

    /// <summary>What <c>max_concurrent_probes</c> may be set to at most.</summary>
    public const int ConcurrentProbesMax = 4_096;

    /// <summary>Results of a backend's probes that operators can look back on.</summary>
    public const int ProbeHistoryCount = 10;

    /// <summary>Content of an answer to a probe that is searched for <c>expect_body</c>. Unit: bytes.</summary>
    public const int ProbeBodyBytesMax = 64 * 1024;

    /// <summary>
    /// What a probe reads of an answer at most, everything included: no backend keeps one busy. Unit: bytes.
    /// </summary>
    public const int ProbeAnswerBytesMax = 1024 * 1024;

    /// <summary>What a program that is run as a probe may say; the rest is thrown away. Unit: bytes.</summary>
    public const int ProbeOutputBytesMax = 4 * 1024;

    /// <summary>
    /// Addresses that one name stands for, and hosts of one service: what is more is cut off in a fixed order.
    /// </summary>
    public const int AddressesPerNameMax = 1_000;

    /// <summary>Priorities that SRV records can have, 16 bits. RFC 2782.</summary>
    public const int RanksMax = 65_536;

    /// <summary>Questions to name servers that are under way at once; each has a socket. More wait.</summary>
    public const int QueriesAtOnce = 32;

    /// <summary>
    /// Datagrams that do not answer a question and come in the place of its answer: after that many somebody guesses,
    /// and the question is put over TCP.
    /// </summary>
    public const int StrayRepliesMax = 32;

    /// <summary>Name servers of <c>dns.servers</c> or of resolv.conf.</summary>
    public const int NameServersMax = 8;

    /// <summary>Names in the search list of resolv.conf.</summary>
    public const int SearchNamesMax = 16;

    /// <summary>What is read of resolv.conf. Unit: bytes.</summary>
    public const int ResolvConfBytesMax = 64 * 1024;

    /// <summary>Aliases on the way from a name to its records, over all messages.</summary>
    public const int AliasesMax = 16;

    /// <summary>Pointers in one compressed name of a message.</summary>
    public const int NamePointersMax = 32;

    /// <summary>
    /// What a name server may send in one datagram, and what crosses networks without being taken apart. Unit: bytes.
    /// </summary>
    public const int DatagramBytesMax = 1_232;

    // Relations the code relies on. A negative constant does not convert to uint, so a wrong
    // pair of limits does not compile.
    private const uint TargetLeavesRoomForFields = HeadBytesDefault - RequestTargetBytesMax - 8_192;
    private const uint OffsetsFitUShort = ushort.MaxValue - HeadBytesMax;

    // Forwarding repeats at most one list (X-Forwarded-For) and adds a few short lines.
    private const uint WrittenHeadFitsLargeBlock = LargeBlockBytes - 2 * HeadBytesMax - 4_096;
    private const uint LastChunkAndTrailersFitSmallBlock = SmallBlockBytes - TrailerBytesMax - 64;
    private const uint AnswerHasRoomForHeadAndBody = ProbeAnswerBytesMax - 4 * HeadBytesMax - ProbeBodyBytesMax;
    private const uint ChunkLineIsWorthReading = ChunkLineBytesMax - 16 - 2;
    private const uint OperatorsAndQueriesFitReservedFiles =
        FilesReserved - OperatorConnectionsMax - QueriesAtOnce - 192;
}
