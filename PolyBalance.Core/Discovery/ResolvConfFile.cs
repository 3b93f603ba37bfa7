using System.Text;

namespace PolyBalance.Discovery;

/// <summary>The file <c>resolv.conf</c>, read again when it may have changed.</summary>
/// <remarks>
/// Any thread. What the file says is compared, not its date: in containers it is often a link or a mount, whose dates
/// mislead. A file that cannot be read leaves in force what it said before.
/// </remarks>
/// <param name="path">Where it is.</param>
/// <param name="clock">When to look again.</param>
internal sealed class ResolvConfFile(string path, TimeProvider clock)
{
    /// <summary>Where systems have it.</summary>
    public const string UsualPath = "/etc/resolv.conf";

    /// <summary>How long one look is good for.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();    // guards what follows; the file is read inside it
    private ResolvConf _current = ResolvConf.Default;
    private string? _text;
    private long _readAt;
    private bool _isRead;

    /// <summary>What it says now.</summary>
    public ResolvConf Current
    {
        get
        {
            lock (_gate)
            {
                if (!_isRead || clock.GetElapsedTime(_readAt) >= FreshFor)
                    Look();
                return _current;
            }
        }
    }

    private void Look()
    {
        (_isRead, _readAt) = (true, clock.GetTimestamp());
        if (TryRead() is not { } text || text == _text)
            return;

        (_text, _current) = (text, ResolvConf.Parse(text));
    }

    private string? TryRead()
    {
        try
        {
            using var file = File.OpenRead(path);
            var bytes = new byte[Limits.ResolvConfBytesMax];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return Encoding.Latin1.GetString(bytes, 0, length);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
