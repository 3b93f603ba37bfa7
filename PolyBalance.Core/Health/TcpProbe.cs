using PolyBalance.Configuration;

namespace PolyBalance.Health;

/// <summary>Passes when the backend accepts a connection; says nothing and closes it again.</summary>
internal sealed class TcpProbe : IProbe
{
    /// <inheritdoc/>
    public ProbeKind Kind => ProbeKind.Tcp;

    /// <inheritdoc/>
    public async ValueTask<ProbeAnswer> RunAsync(ProbeTarget target, ProbeMeans means, CancellationToken cancel)
    {
        var (connection, failure) = await ProbeConnection.OpenAsync(target, means, cancel);
        if (connection is null)
            return failure;

        connection.IsOrderly = true;
        connection.Dispose();
        return new(true, "connected");
    }
}
