using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using PolyBalance.Host;
using PolyBalance.Host.Telemetry;

namespace PolyBalance.Tests.Host;

internal sealed class AccessLogTests
{
    [Test]
    public void Every_record_of_many_threads_is_written_before_a_clean_end()
    {
        const int Threads = 8;
        const int RecordsPerThread = 1_000;
        var stream = new Gate();
        using (var log = Log(stream))
        {
            var threads = new Thread[Threads];
            for (var index = 0; index < Threads; index++)
            {
                threads[index] = new Thread(() =>
                {
                    for (var count = 0; count < RecordsPerThread; count++)
                        log.Record(Sample.Exchange);
                });
                threads[index].Start();
            }

            foreach (var thread in threads)
                thread.Join();
            log.Dispose();
            Assert.That(log.Dropped, Is.Zero);
        }

        var lines = stream.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines, Has.Length.EqualTo(Threads * RecordsPerThread));
        Assert.That(lines.Distinct().Count(), Is.EqualTo(1), "no line is torn");
    }

    [Test]
    public void A_record_is_written_without_another_one_or_an_end_pushing_it()
    {
        var stream = new Gate();
        using var log = Log(stream);
        for (var round = 1; round <= 3; round++)
        {
            log.Record(Sample.Exchange);
            Assert.That(stream.Written.Wait(TimeSpan.FromSeconds(10)), Is.True, $"record {round}");
        }
    }

    [Test]
    public void The_memory_of_a_record_may_be_reused_as_soon_as_it_is_handed_over()
    {
        var stream = new Gate();
        var target = "/first"u8.ToArray();
        using (var log = Log(stream))
        {
            log.Record(Sample.Exchange with { Target = target });
            "/other"u8.CopyTo(target);
        }

        Assert.That(stream.Text, Does.Contain("/first").And.Not.Contain("/other"));
    }

    [Test]
    public void What_cannot_wait_is_dropped_and_counted_and_said_once()
    {
        var stream = new Gate();
        var logger = new Lines();
        using var log = Log(stream, logger);
        BlockWriter(log, stream);

        var length = new JsonAccessFormat().Write(Sample.Exchange, []);
        var lines = AccessLog.PendingBytesMax / AccessBuffers.UsualLength * (AccessBuffers.UsualLength / length);
        for (var count = 0; count < lines + 5; count++)
            log.Record(Sample.Exchange);
        log.ReportDropped();
        log.ReportDropped();

        Assert.That(log.Dropped, Is.EqualTo(5));
        Assert.That(logger.Written, Is.EqualTo(
            (string[])["Warning: Access log: 5 lines lost (they cannot be written fast enough); traffic goes on"]));

        stream.Open();
        log.Dispose();
        Assert.That(stream.Lines, Is.EqualTo(lines + 1));
    }

    [Test]
    public void Long_records_fill_the_queue_by_their_length()
    {
        var stream = new Gate();
        using var log = Log(stream);
        BlockWriter(log, stream);

        var target = new byte[1024 * 1024 - 16 * 1024];
        Array.Fill(target, (byte)'a');
        for (var count = 0; count < 10; count++)
            log.Record(Sample.Exchange with { Target = target });
        stream.Open();

        Assert.That(log.Dropped, Is.EqualTo(10 - AccessLog.PendingBytesMax / (1024 * 1024)));
    }

    [Test]
    public void A_line_that_is_longer_than_a_buffer_is_written_whole_and_in_its_place()
    {
        var stream = new Gate();
        var target = new byte[AccessBuffers.UsualLength];
        Array.Fill(target, (byte)0x01);
        using (var log = Log(stream))
        {
            for (var round = 0; round < 3; round++)
            {
                log.Record(Sample.Exchange with { Status = 201 });
                log.Record(Sample.Exchange with { Target = target, Status = 202 });
            }

            log.Dispose();
            Assert.That(log.Dropped, Is.Zero);
        }

        var lines = stream.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.That(lines.Select(Status), Is.EqualTo((int[])[201, 202, 201, 202, 201, 202]));
        Assert.That(lines[1].GetProperty("path").GetString(), Is.EqualTo(new string('\u0001', target.Length)));
    }

    [Test]
    public void Lines_of_one_thread_stay_in_order_while_others_log_too()
    {
        const int Threads = 4;
        const int RecordsPerThread = 5_000;
        var stream = new Gate();
        using (var log = Log(stream))
        {
            var threads = new Thread[Threads];
            for (var index = 0; index < Threads; index++)
            {
                var name = $"thread {index}";
                threads[index] = new Thread(() =>
                {
                    for (var count = 0; count < RecordsPerThread; count++)
                        log.Record(Sample.Exchange with { Cluster = name, Status = count });
                });
                threads[index].Start();
            }

            foreach (var thread in threads)
                thread.Join();
        }

        var all = stream.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement)
            .ToLookup(line => line.GetProperty("cluster").GetString(), Status);
        Assert.That(all, Has.Count.EqualTo(Threads));
        foreach (var one in all)
            Assert.That(one, Is.EqualTo(Enumerable.Range(0, RecordsPerThread)), one.Key);
    }

    [Test]
    public void A_full_disk_costs_lines_and_nothing_else()
    {
        var stream = new Gate();
        var logger = new Lines();
        using var log = Log(stream, logger);
        stream.Failure = new IOException("No space left on device");
        log.Record(Sample.Exchange);
        Assert.That(stream.Written.Wait(TimeSpan.FromSeconds(10)), Is.True);

        stream.Failure = null;
        log.Record(Sample.Exchange with { Status = 201 });
        log.Dispose();

        Assert.That(log.Dropped, Is.EqualTo(1));
        Assert.That(stream.Text, Does.StartWith("\n{").And.Contain("\"status\":201").And.Not.Contain("\"status\":200"));
        Assert.That(logger.Written, Has.Count.EqualTo(1));
    }

    [Test]
    public void Handing_over_a_record_allocates_nothing_once_the_pool_is_warm()
    {
        const int Records = 500;
        var stream = new Gate();
        using var log = Log(stream);
        BlockWriter(log, stream);
        for (var count = 0; count < 2 * Records; count++)
            log.Record(Sample.Exchange);
        stream.Open();
        Assert.That(SpinWait.SpinUntil(() => stream.Lines == 2 * Records + 1, TimeSpan.FromSeconds(10)), Is.True);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var count = 0; count < Records; count++)
            log.Record(Sample.Exchange);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That(allocated, Is.Zero);
    }

    [Test]
    public void After_its_end_a_log_counts_what_it_does_not_write()
    {
        var log = Log(new Gate());
        log.Dispose();
        log.Record(Sample.Exchange);

        Assert.That(log.Dropped, Is.EqualTo(1));
    }

    private static AccessLog Log(Stream stream, ILogger? logger = null) => new(
        new JsonAccessFormat(), new AccessOutput(stream, "stdout"), logger ?? NullLogger.Instance, TimeProvider.System);

    private static int Status(JsonElement line) => line.GetProperty("status").GetInt32();

    private static void BlockWriter(AccessLog log, Gate stream)
    {
        stream.Shut();
        log.Record(Sample.Exchange);
        Assert.That(stream.Entered.Wait(TimeSpan.FromSeconds(10)), Is.True, "the writer stands in the stream");
    }

    /// <summary>A stream that can be made to stand still, or to fail.</summary>
    private sealed class Gate : MemoryStream
    {
        private readonly ManualResetEventSlim _open = new(initialState: true);
        private int _lines;

        public SemaphoreSlim Written { get; } = new(0);

        public SemaphoreSlim Entered { get; } = new(0);

        public IOException? Failure { get; set; }

        public int Lines => Volatile.Read(ref _lines);

        public string Text => Encoding.UTF8.GetString(ToArray());

        public void Open() => _open.Set();

        public void Shut() => _open.Reset();

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Entered.Release();
            _open.Wait();
            try
            {
                if (Failure is { } failure)
                    throw failure;

                base.Write(buffer);
                Interlocked.Add(ref _lines, buffer.Count((byte)'\n'));
            }
            finally
            {
                Written.Release();
            }
        }
    }

    /// <summary>Keeps what is logged.</summary>
    private sealed class Lines : ILogger
    {
        public List<string> Written { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => Written.Add($"{logLevel}: {formatter(state, exception)}");
    }
}
