using System.Buffers;
using System.Text;

namespace PolyBalance.Tests.Http;

/// <summary>
/// What was seen in a stream of messages, event by event. Kept as bytes, so that two readings compare quickly; text is
/// made only for a person.
/// </summary>
internal sealed class EventLog
{
    private const string Content = "content";
    private const string Forwards = "forwards";

    private readonly ArrayBufferWriter<byte> _bytes = new();
    private readonly List<(string Name, int Start, int Length)> _events = [];

    /// <summary>The name of the last event; empty when there is none.</summary>
    public string Last => _events.Count == 0 ? "" : _events[^1].Name;

    /// <summary>Forgets everything and keeps the memory.</summary>
    public void Clear()
    {
        _bytes.ResetWrittenCount();
        _events.Clear();
    }

    /// <summary>Adds an event that consists of its name.</summary>
    public void Add(string name) => _events.Add((name, _bytes.WrittenCount, 0));

    /// <summary>Adds an event with bytes in it.</summary>
    public void Add(string name, ReadOnlySpan<byte> bytes)
    {
        Add(name);
        Append(bytes);
    }

    /// <summary>Adds an event with text in it.</summary>
    public void Add(string name, string text) => Add(name, Encoding.ASCII.GetBytes(text));

    /// <summary>Adds bytes to the last event.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        _bytes.Write(bytes);
        var (name, start, length) = _events[^1];
        _events[^1] = (name, start, length + bytes.Length);
    }

    /// <summary>Adds content. Ranges that follow each other are one event, wherever the cuts were.</summary>
    public void AddContent(ReadOnlySpan<byte> content)
    {
        if (Last != Content)
            Add(Content);
        Append(content);
    }

    /// <summary>Adds bytes that left. All of them are one event.</summary>
    public void AddForwarded(ReadOnlySpan<byte> bytes)
    {
        if (Last != Forwards)
            Add(Forwards);
        Append(bytes);
    }

    /// <summary>Whether the other log has the same events.</summary>
    public bool IsSameAs(EventLog other)
    {
        if (_events.Count != other._events.Count || !_bytes.WrittenSpan.SequenceEqual(other._bytes.WrittenSpan))
            return false;

        for (var i = 0; i < _events.Count; i++)
        {
            if (_events[i] != other._events[i])
                return false;
        }

        return true;
    }

    /// <summary>The events as corpus files spell them.</summary>
    public List<string> ToLines()
    {
        var lines = new List<string>();
        foreach (var (name, start, length) in _events)
            lines.AddRange(LinesOf(name, _bytes.WrittenSpan.Slice(start, length)));
        return lines;
    }

    /// <summary>One event as corpus files spell it: one line, or for bytes that left one per line of theirs.</summary>
    public static List<string> LinesOf(string name, ReadOnlySpan<byte> bytes)
    {
        if (name != Forwards)
            return [CorpusText.Escape([.. Encoding.ASCII.GetBytes(bytes.IsEmpty ? name : name + " "), .. bytes])];

        var lines = new List<string> { Forwards + ":" };
        while (!bytes.IsEmpty)
        {
            var end = bytes.IndexOf("\r\n"u8);
            var length = end < 0 ? bytes.Length : end + 2;
            lines.Add(CorpusText.Escape(bytes[..length]));
            bytes = bytes[length..];
        }

        return lines;
    }
}
