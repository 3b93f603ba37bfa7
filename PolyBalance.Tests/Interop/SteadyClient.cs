using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace PolyBalance.Tests.Interop;

/// <summary>How an exchange ended, as its client saw it.</summary>
internal enum ExchangeEnd
{
    /// <summary>With a whole response of status 200.</summary>
    Answered,

    /// <summary>Its connection was not established: nothing was sent.</summary>
    NotConnected,

    /// <summary>Something was sent, and no whole response of status 200 came.</summary>
    Lost,
}

/// <summary>One exchange of a client. Unit of all times: time stamps of <see cref="TimeProvider.System"/>.</summary>
/// <param name="ConnectedAt">When its connection was begun; exchanges on the same one have the same.</param>
/// <param name="Began">When it was begun.</param>
/// <param name="Ended">When it had ended.</param>
/// <param name="End">How.</param>
/// <param name="Backend">Who answered.</param>
/// <param name="IsCookieSet">Whether the answer began or renewed a session.</param>
internal sealed record SteadyExchange(
    long ConnectedAt, long Began, long Ended, ExchangeEnd End, string Backend = "", bool IsCookieSet = false);

/// <summary>
/// A client that asks again and again, on one connection as long as that lives, and remembers each exchange. It keeps
/// the cookie that it was given. What fails it tries again on a new connection, at once.
/// </summary>
internal sealed class SteadyClient(NetworkSegment network, string machine, IPEndPoint address, TimeSpan connectTimeout)
{
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(5);

    private readonly Lock _lock = new();
    private readonly List<SteadyExchange> _exchanges = [];
    private readonly byte[] _buffer = new byte[4096];
    private Socket? _socket;
    private long _connectedAt;
    private string _cookie = "";

    /// <summary>Everything so far.</summary>
    public List<SteadyExchange> Exchanges
    {
        get
        {
            lock (_lock)
                return [.. _exchanges];
        }
    }

    private static long Now => TimeProvider.System.GetTimestamp();

    /// <summary>Asks until it is told to stop; what is under way then is finished.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var exchange = await AskAsync();
            lock (_lock)
                _exchanges.Add(exchange);
            if (exchange.End != ExchangeEnd.Answered)
                Close();
            if (exchange.End == ExchangeEnd.NotConnected)
                await Task.Delay(Breath, TimeProvider.System, CancellationToken.None);
        }

        Close();
    }

    private async Task<SteadyExchange> AskAsync()
    {
        var began = Now;
        if (_socket is null && !await ConnectAsync())
            return new(began, began, Now, ExchangeEnd.NotConnected);

        var answer = "";
        try
        {
            using var deadline = new CancellationTokenSource(ResponseTimeout);
            var request = Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: x\r\n{_cookie}\r\n");
            await _socket!.SendAsync(request, deadline.Token);
            while (!IsWhole(answer))
            {
                var count = await _socket.ReceiveAsync(_buffer, deadline.Token);
                if (count == 0)
                    break;
                answer += Encoding.ASCII.GetString(_buffer.AsSpan(0, count));
            }
        }
        catch (Exception failure) when (failure is SocketException or OperationCanceledException)
        {
            // What is there of the answer says enough.
        }

        if (!IsWhole(answer) || !answer.StartsWith("HTTP/1.1 200", StringComparison.Ordinal))
            return new(_connectedAt, began, Now, ExchangeEnd.Lost, answer);

        var cookie = Regex.Match(answer, "^Set-Cookie: ([^;]+)", RegexOptions.Multiline).Groups[1].Value;
        if (cookie.Length > 0)
            _cookie = $"Cookie: {cookie}\r\n";
        var exchange = new SteadyExchange(
            _connectedAt, began, Now, ExchangeEnd.Answered,
            Regex.Match(answer, "^X-Backend: (.+?)\r$", RegexOptions.Multiline).Groups[1].Value, cookie.Length > 0);
        if (answer.Contains("\r\nConnection: close\r\n", StringComparison.Ordinal))
            Close();
        return exchange;
    }

    private async Task<bool> ConnectAsync()
    {
        _connectedAt = Now;
        _socket = network.CreateSocket(machine);
        try
        {
            using var deadline = new CancellationTokenSource(connectTimeout);
            await _socket.ConnectAsync(address, deadline.Token);
            return true;
        }
        catch (Exception failure) when (failure is SocketException or OperationCanceledException)
        {
            return false;
        }
    }

    private void Close()
    {
        _socket?.Dispose();
        _socket = null;
    }

    private static bool IsWhole(string answer)
    {
        var head = answer.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        var length = Regex.Match(answer, "^Content-Length: (\\d+)", RegexOptions.Multiline);
        return head >= 0 && length.Success
            && answer.Length - head - 4 >= int.Parse(length.Groups[1].Value, CultureInfo.InvariantCulture);
    }
}
