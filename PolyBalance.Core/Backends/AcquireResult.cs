namespace PolyBalance.Backends;

/// <summary>A connection, or why there is none.</summary>
/// <param name="Connection">
/// Owned by the caller until <see cref="ConnectionPool.Return"/> or <see cref="ConnectionPool.Discard"/>.
/// </param>
/// <param name="Failure"><see cref="FailureKind.None"/> when there is a connection.</param>
internal readonly record struct AcquireResult(BackendConnection? Connection, FailureKind Failure);
