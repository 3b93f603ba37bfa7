using System.Diagnostics;
using System.Runtime.InteropServices;
using PolyBalance.Benchmarks.Compare.Figures;

namespace PolyBalance.Benchmarks.Compare;

/// <summary>
/// Sends GETs when they are due, over a fixed set of connections, from one thread. Nothing is allocated per request.
/// </summary>
/// <remarks>
/// A request that comes due while every connection is busy waits for the first one that gets free, and the wait is part
/// of its latency.
/// </remarks>
internal sealed unsafe partial class OpenLoopGenerator : IDisposable
{
    private const short PollIn = 1;
    private const int SetTimerSlack = 29;
    private const long NanosPerSecond = 1_000_000_000;

    // Before anything is recorded: compiled code, warm connections.
    private const double WarmUpSeconds = 0.5;

    // For what is on its way when the last request has been sent.
    private const long GraceNanos = 2 * NanosPerSecond;

    private const long LongestWaitNanos = NanosPerSecond / 10;

    private readonly OpenLoopConnection[] _connections;
    private readonly PollEntry[] _polled;
    private readonly int[] _free;
    private int _freeCount;

    /// <summary>Opens the connections.</summary>
    /// <param name="port">On 127.0.0.1.</param>
    /// <param name="connections">How many.</param>
    public OpenLoopGenerator(int port, int connections)
    {
        _connections = new OpenLoopConnection[connections];
        _polled = new PollEntry[connections];
        _free = new int[connections];
        for (var i = 0; i < connections; i++)
        {
            _connections[i] = new OpenLoopConnection(port);
            _polled[i] = new() { Handle = _connections[i].Handle, Events = PollIn };
            _free[_freeCount++] = i;
        }
    }

    /// <summary>Sends every request of a schedule and waits for the answers.</summary>
    /// <param name="rate">Requests per second.</param>
    /// <param name="seconds">How long, after a short warm-up at the same rate.</param>
    public OpenLoopReport Run(int rate, int seconds)
    {
        // A timer of the system may otherwise be 50 µs late, and every latency with it.
        _ = ProcessControl(SetTimerSlack, 1, 0, 0, 0);
        var schedule = new OpenLoopSchedule(rate, WarmUpSeconds + seconds);
        var recordFrom = (long)(rate * WarmUpSeconds);
        var histogram = new LatencyHistogram();
        var errors = new Tally();
        var started = Stopwatch.GetTimestamp();
        var end = schedule.DueAt(schedule.Count) + GraceNanos;
        var next = 0L;
        var answered = 0L;
        for (var now = 0L; answered + errors.Lost < schedule.Count && now < end; now = NanosSince(started))
        {
            while (_freeCount > 0 && schedule.IsDue(next, now))
                Send(_free[--_freeCount], next++, ref errors);

            Wait(_freeCount > 0 && next < schedule.Count ? schedule.DueAt(next) - now : LongestWaitNanos);
            for (var i = 0; i < _polled.Length; i++)
            {
                if (_polled[i].Found != 0)
                    answered += Receive(i, schedule, started, recordFrom, histogram, ref errors);
            }
        }

        var missing = schedule.Count - answered - errors.Lost;
        return new(
            answered, NanosSince(started) / (double)NanosPerSecond,
            new(Read: errors.Read, Write: errors.Write, Timeout: missing, Status: errors.Status),
            new(
                Micros(histogram.Percentile(50)), Micros(histogram.Percentile(90)), Micros(histogram.Percentile(99)),
                Micros(histogram.Percentile(99.9)), Micros(histogram.Max)));
    }

    public void Dispose()
    {
        foreach (var connection in _connections)
            connection.Dispose();
    }

    private void Send(int index, long request, ref Tally errors)
    {
        if (_connections[index].TrySend(request))
            return;

        errors.Write++;
        errors.Lost++;
        Renew(index);
    }

    private long Receive(
        int index, in OpenLoopSchedule schedule, long started, long recordFrom, LatencyHistogram histogram,
        ref Tally errors)
    {
        var connection = _connections[index];
        switch (connection.Receive())
        {
            case OpenLoopAnswer.Partial:
                return 0;

            case OpenLoopAnswer.Closed:
                // Without a request in flight it is a proxy's right to close, and nothing is lost.
                if (connection.Request >= 0)
                {
                    errors.Read++;
                    errors.Lost++;
                    Renew(index);
                }
                else
                {
                    RenewIdle(index);
                }

                return 0;

            case OpenLoopAnswer.OtherStatus:
                errors.Status++;
                break;
        }

        if (connection.Request >= recordFrom)
            histogram.Record(schedule.LatencyOf(connection.Request, NanosSince(started)));
        connection.Request = -1;
        _free[_freeCount++] = index;
        return 1;
    }

    private void Renew(int index)
    {
        RenewIdle(index);
        _free[_freeCount++] = index;
    }

    private void RenewIdle(int index)
    {
        _connections[index].Reopen();
        _polled[index].Handle = _connections[index].Handle;
    }

    private void Wait(long nanos)
    {
        nanos = Math.Clamp(nanos, 0, LongestWaitNanos);
        var timeout = new TimeSpec { Seconds = 0, Nanos = nanos };
        fixed (PollEntry* polled = _polled)
        {
            // Interrupted or not: who has nothing to read says so, and the loop comes back.
            if (Poll(polled, (nuint)_polled.Length, &timeout, null) < 0)
            {
                for (var i = 0; i < _polled.Length; i++)
                    _polled[i].Found = 0;
            }
        }
    }

    private static long NanosSince(long started) => Stopwatch.GetElapsedTime(started).Ticks * 100;

    private static double Micros(long nanos) => nanos / 1000.0;

    [LibraryImport("libc", EntryPoint = "ppoll")]
    private static partial int Poll(PollEntry* entries, nuint count, TimeSpec* timeout, void* signals);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int ProcessControl(int option, nuint first, nuint second, nuint third, nuint fourth);

    /// <summary><c>struct pollfd</c>.</summary>
    private struct PollEntry
    {
        public int Handle;
        public short Events;
        public short Found;
    }

    /// <summary><c>struct timespec</c> of a 64-bit system.</summary>
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanos;
    }

    private struct Tally
    {
        public long Read;
        public long Write;
        public long Status;

        // Requests that will never be answered.
        public long Lost;
    }
}
