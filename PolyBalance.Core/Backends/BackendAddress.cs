using System.Net;
using System.Net.Sockets;
using PolyBalance.Configuration;
using PolyBalance.Transport;

namespace PolyBalance.Backends;

/// <summary>
/// Turns a configured address into what one can connect to; names are looked up off the request path, and remembered.
/// </summary>
/// <remarks>
/// A literal address is ready at once. A name is looked up by the first connect that needs it and again when the answer
/// is older than <see cref="FreshFor"/>; when a look-up fails the last good answer stays in use. Any thread.
/// </remarks>
internal sealed class BackendAddress
{
    /// <summary>How long an answer is used without asking again.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(10);

    private readonly Address _address;
    private readonly TimeProvider _clock;
    private readonly bool _isName;
    private EndPoint[] _endPoints = [];
    private Task<EndPoint[]>? _lookUp;
    private long _lookedUpAt;

    /// <summary>Prepares an address; looks nothing up.</summary>
    public BackendAddress(Address address, TimeProvider clock)
    {
        _address = address;
        _clock = clock;
        if (address.IsUnix)
            _endPoints = [new UnixDomainSocketEndPoint(address.Path)];
        else if (IPAddress.TryParse(address.Host, out var literal))
            _endPoints = [new IPEndPoint(literal, address.Port)];
        else
            _isName = true;
    }

    /// <summary>All addresses to try, in order; empty when the name has never been resolved.</summary>
    public ValueTask<EndPoint[]> ResolveAsync()
    {
        var known = Volatile.Read(ref _endPoints);
        var isFresh = !_isName
            || (known.Length > 0 && _clock.GetElapsedTime(Volatile.Read(ref _lookedUpAt)) < FreshFor);
        return isFresh ? new(known) : new(LookUpAsync(known));
    }

    /// <summary>
    /// Connects within a deadline. A name may stand for several addresses (localhost is ::1 and 127.0.0.1): the first
    /// that answers is taken.
    /// </summary>
    /// <param name="transport">By which way.</param>
    /// <param name="deadline">For all of them together, in heartbeat time.</param>
    public async ValueTask<ConnectResult> ConnectAsync(ITransport transport, long deadline)
    {
        var result = new ConnectResult(null, FailureKind.ConnectFailed);
        foreach (var address in await ResolveAsync())
        {
            var left = deadline - transport.Heartbeat.Now;
            if (left <= 0)
                return new(null, FailureKind.ConnectTimedOut);

            result = await transport.ConnectAsync(address, left);
            if (result.Connection is not null)
                return result;
        }

        return result;
    }

    // One look-up at a time; with an old answer at hand nobody waits for the new one.
    private Task<EndPoint[]> LookUpAsync(EndPoint[] known)
    {
        var running = Volatile.Read(ref _lookUp);
        if (running is null or { IsCompleted: true })
        {
            var fresh = new TaskCompletionSource<EndPoint[]>(TaskCreationOptions.RunContinuationsAsynchronously);
            if (Interlocked.CompareExchange(ref _lookUp, fresh.Task, running) == running)
                _ = FinishAsync(fresh);
            running = Volatile.Read(ref _lookUp)!;
        }

        return known.Length > 0 ? Task.FromResult(known) : running;
    }

    private async Task FinishAsync(TaskCompletionSource<EndPoint[]> waiting)
    {
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(_address.Host);
            if (addresses.Length > 0)
            {
                Volatile.Write(
                    ref _endPoints, Array.ConvertAll(addresses, EndPoint (ip) => new IPEndPoint(ip, _address.Port)));
            }
        }
        catch (Exception exception) when (exception is SocketException or ArgumentException)
        {
            // The last good answer stays in use; with none, connecting fails and says so.
        }

        Volatile.Write(ref _lookedUpAt, _clock.GetTimestamp());
        waiting.SetResult(Volatile.Read(ref _endPoints));
    }
}
