using System.Buffers;
using PolyBalance.Http;

namespace PolyBalance.Health;

/// <summary>
/// Looks for a text in the content of an answer, as far as <see cref="Limits.ProbeBodyBytesMax"/> goes.
/// </summary>
/// <param name="connection">Where the body comes from; nothing of it has been read.</param>
/// <param name="framing">How it ends.</param>
/// <param name="text">What to look for; not empty.</param>
internal sealed class ProbeBody(ProbeConnection connection, BodyFraming framing, byte[] text)
{
    private const string Absent = "the expected text is not in the body";
    private const string Malformed = "malformed response";

    private readonly ArrayBufferWriter<byte> _content = new();
    private BodyDecoder _decoder = BodyDecoder.For(framing);

    private enum Progress : byte
    {
        More,
        Found,
        Over,
        Broken,
    }

    /// <summary>Reads until the text was found or cannot come any more.</summary>
    /// <returns>Null when it was found, else why not.</returns>
    public async ValueTask<string?> FindAsync()
    {
        if (_decoder.IsComplete)
            return Absent;

        while (true)
        {
            var read = await connection.ReadAsync();
            var progress = Look(read.Buffer, out var used);
            connection.AskForMore(read.Buffer, used);
            if (progress != Progress.More)
                return progress switch { Progress.Found => null, Progress.Over => Absent, _ => Malformed };

            if (connection.WhyOver(read) is { } reason)
                return read.IsCompleted && _decoder.EndsWithConnection ? Absent : reason;
        }
    }

    private Progress Look(in ReadOnlySequence<byte> bytes, out long used)
    {
        used = 0;
        foreach (var memory in bytes)
        {
            for (var input = memory.Span; !input.IsEmpty;)
            {
                var step = _decoder.Decode(input);
                used += step.Consumed;
                if (Add(input.Slice(step.ContentStart, step.ContentLength)))
                    return Progress.Found;
                if (step.Status == BodyStatus.Malformed)
                    return Progress.Broken;
                if (step.Status is BodyStatus.End or BodyStatus.TrailerSection
                    || _decoder.IsComplete || _content.WrittenCount >= Limits.ProbeBodyBytesMax)
                    return Progress.Over;

                input = input[step.Consumed..];
            }
        }

        return Progress.More;
    }

    // The text may begin in what was there before.
    private bool Add(ReadOnlySpan<byte> content)
    {
        var room = Limits.ProbeBodyBytesMax - _content.WrittenCount;
        var from = Math.Max(0, _content.WrittenCount - text.Length + 1);
        _content.Write(content[..Math.Min(room, content.Length)]);
        return _content.WrittenSpan[from..].IndexOf(text) >= 0;
    }
}
