using PolyBalance.Configuration;
using PolyBalance.Health.Grpc;

namespace PolyBalance.Health;

/// <summary>
/// Passes when <c>grpc.health.v1.Health/Check</c>, asked over HTTP/2 in cleartext, answers <c>SERVING</c>.
/// </summary>
internal sealed class GrpcProbe : IProbe
{
    /// <inheritdoc/>
    public ProbeKind Kind => ProbeKind.Grpc;

    /// <inheritdoc/>
    public async ValueTask<ProbeAnswer> RunAsync(ProbeTarget target, ProbeMeans means, CancellationToken cancel)
    {
        var (connection, failure) = await ProbeConnection.OpenAsync(target, means, cancel);
        if (connection is null)
            return failure;

        using (connection)
        {
            var call = new HealthCall();
            HealthRequest.Write(target.Host, target.Check.Service, connection.Output);
            while (true)
            {
                await connection.FlushAsync();
                var read = await connection.ReadAsync();
                connection.AskForMore(read.Buffer, call.Receive(read.Buffer, connection.Output));
                if (call.Answer is { } answer)
                {
                    connection.IsOrderly = answer.Passed;
                    return answer;
                }

                if (connection.WhyOver(read) is { } over)
                    return ProbeAnswer.Failed(over);
            }
        }
    }
}
