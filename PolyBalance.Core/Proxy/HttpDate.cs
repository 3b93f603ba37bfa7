using System.Text;
using PolyBalance.Transport;

namespace PolyBalance.Proxy;

/// <summary>The current time as the value of a Date field, ready to copy. RFC 9110 §5.6.7, §6.6.1.</summary>
/// <remarks>Made anew by the heartbeat twice a second: nobody formats, or asks for the time, per response.</remarks>
internal sealed class HttpDate
{
    private readonly Heartbeat _heartbeat;
    private byte[] _bytes = [];

    /// <summary>Starts keeping the time.</summary>
    public HttpDate(Heartbeat heartbeat)
    {
        _heartbeat = heartbeat;
        Update();
        heartbeat.Every(TimeSpan.FromMilliseconds(500), Update);
    }

    /// <summary>IMF-fixdate.</summary>
    public ReadOnlySpan<byte> Bytes => Volatile.Read(ref _bytes);

    private void Update() => Volatile.Write(ref _bytes, Encoding.ASCII.GetBytes(_heartbeat.UtcNow.ToString("R")));
}
