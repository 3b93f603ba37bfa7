using PolyBalance.Configuration;

namespace PolyBalance.Backends;

/// <summary>What makes two configured backends the same one: everything that its connections depend on.</summary>
/// <remarks>Weight and name are not identity: they may change while the connections live on.</remarks>
/// <param name="Cluster">
/// Two clusters never share a backend, even at one address: they may judge it differently.
/// </param>
/// <param name="Address">Where it listens.</param>
/// <param name="Pool">The bounds of its pool.</param>
/// <param name="ConnectTimeout">How long a connect may take.</param>
internal readonly record struct BackendKey(string Cluster, Address Address, PoolOptions Pool, TimeSpan ConnectTimeout);
