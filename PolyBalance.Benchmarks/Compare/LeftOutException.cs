namespace PolyBalance.Benchmarks.Compare;

/// <summary>Why a proxy cannot take part. The comparison goes on without it and quotes the message.</summary>
internal sealed class LeftOutException(string reason) : Exception(reason);
