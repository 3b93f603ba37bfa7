using System.Buffers;
using System.Text;
using PolyBalance.Configuration;
using PolyBalance.Http;

namespace PolyBalance.Health;

/// <summary>
/// Passes when a GET is answered with a status code in the expected ranges and, where asked for, with a certain field
/// and a certain text. Redirects are answers like any other.
/// </summary>
internal sealed class HttpProbe : IProbe
{
    private const string Malformed = "malformed response";

    private static readonly HeadLimits AnswerLimits = new(Limits.HeadBytesMax, Limits.FieldLinesMax);
    private static readonly string UserAgent = $"polybalance-health/{ProbeAgent.Version}";

    /// <inheritdoc/>
    public ProbeKind Kind => ProbeKind.Http;

    /// <inheritdoc/>
    public async ValueTask<ProbeAnswer> RunAsync(ProbeTarget target, ProbeMeans means, CancellationToken cancel)
    {
        var (connection, failure) = await ProbeConnection.OpenAsync(target, means, cancel);
        if (connection is null)
            return failure;

        using (connection)
        {
            connection.Output.Write(Encoding.ASCII.GetBytes(RequestFor(target)));
            await connection.FlushAsync();
            return await ReadAnswerAsync(connection, target.Check);
        }
    }

    // The path and the fields were checked when the configuration was read.
    private static string RequestFor(ProbeTarget target)
    {
        var request = new StringBuilder();
        request.Append("GET ").Append(target.Check.Path).Append(" HTTP/1.1\r\nHost: ").Append(target.Host);
        var names = false;
        foreach (var field in target.Check.Fields)
        {
            request.Append("\r\n").Append(field.Name).Append(": ").Append(field.Value);
            names |= field.Name.Equals("User-Agent", StringComparison.OrdinalIgnoreCase);
        }

        if (!names)
            request.Append("\r\nUser-Agent: ").Append(UserAgent);
        return request.Append("\r\nConnection: close\r\n\r\n").ToString();
    }

    private static async ValueTask<ProbeAnswer> ReadAnswerAsync(ProbeConnection connection, HealthOptions check)
    {
        var response = new ResponseHead();
        var interims = 0;
        var scanned = 0L;
        while (true)
        {
            var read = await connection.ReadAsync();
            var found = HeadParser.FindResponseEnd(
                read.Buffer, ref scanned, AnswerLimits, out var length, out _);
            if (found == HeadSearchStatus.Refused)
                return ProbeAnswer.Failed(Malformed);

            if (found == HeadSearchStatus.NeedMore)
            {
                connection.AskForMore(read.Buffer);
                if (connection.WhyOver(read) is { } reason)
                    return ProbeAnswer.Failed(reason);
                continue;
            }

            response.Take(read.Buffer.Slice(0, length));
            connection.Take(read.Buffer, length);
            scanned = 0;
            if (!HeadParser.TryParseResponse(response, AnswerLimits, out _))
                return ProbeAnswer.Failed(Malformed);
            if (!response.IsInterim)
                return await JudgeAsync(connection, response, check);

            // RFC 9110 §15.2.2: nobody asked to switch.
            if (response.Status == 101 || ++interims > Limits.InterimResponsesMax)
                return ProbeAnswer.Failed(Malformed);
        }
    }

    private static async ValueTask<ProbeAnswer> JudgeAsync(
        ProbeConnection connection, ResponseHead response, HealthOptions check)
    {
        var status = response.Status;
        var isDrain = IsIn(check.DrainOn, status);
        if (!isDrain && !IsIn(check.Expect, status))
            return ProbeAnswer.Failed($"status {status}", status);
        if (!isDrain && check.ExpectField is { } field && !Has(response.Fields, field))
            return ProbeAnswer.Failed($"status {status} without the expected field {field.Name}", status);
        if (!isDrain && check.ExpectBody is { } text)
        {
            if (!BodyFraming.TryDecide(response, MethodKind.Get, out var framing, out _))
                return ProbeAnswer.Failed(Malformed, status);

            var reason = await new ProbeBody(connection, framing, Encoding.UTF8.GetBytes(text)).FindAsync();
            if (reason is not null)
                return ProbeAnswer.Failed(reason, status);
        }

        connection.IsOrderly = true;
        var wantsDrain = isDrain || BackendSignal.WantsDrain(response.Fields);
        return new(true, wantsDrain ? $"status {status}, draining" : $"status {status}", status, wantsDrain);
    }

    private static bool IsIn(EquatableArray<StatusRange> ranges, int status)
    {
        foreach (var range in ranges)
        {
            if (range.Contains(status))
                return true;
        }

        return false;
    }

    private static bool Has(Fields fields, ProbeField expected)
    {
        var name = Encoding.ASCII.GetBytes(expected.Name);
        var value = Encoding.ASCII.GetBytes(expected.Value);
        for (var index = 0; index < fields.Count; index++)
        {
            if (Http.Ascii.EqualsIgnoreCase(fields.Name(index), name)
                && (value.Length == 0 || fields.Value(index).SequenceEqual(value)))
                return true;
        }

        return false;
    }
}
