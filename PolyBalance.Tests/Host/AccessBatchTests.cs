using System.Globalization;
using System.Text;
using NUnit.Framework;
using PolyBalance.Host;
using PolyBalance.Host.Telemetry;
using PolyBalance.Telemetry;

namespace PolyBalance.Tests.Host;

internal sealed class AccessBatchTests
{
    private readonly HashSet<int> _lanesWithFullBuffers = [];
    private AccessBuffers _buffers = null!;
    private Faulty _stream = null!;
    private AccessLane[] _lanes = [];
    private AccessBatch _batch = null!;

    [SetUp]
    public void Start()
    {
        (_buffers, _stream) = (new(), new());
        _lanesWithFullBuffers.Clear();
        _lanes = [.. Enumerable.Range(0, 3).Select(_ => new AccessLane(new Numbers(), _buffers))];
        _batch = new(new AccessOutput(_stream, "stdout"), _buffers);
    }

    [TearDown]
    public void End()
    {
        _stream.Dispose();

        // Nothing is out: all that may be can be rented.
        Assert.That(_buffers.TryRent(AccessBuffers.RentedBytesMax, out var all), Is.True);
        _buffers.Return(all!);
    }

    [Test]
    public void Lines_of_several_lanes_are_written_in_the_order_in_which_their_exchanges_ended()
    {
        Append(0, 1, 4, 5, 9);
        Append(1, 2, 3, 10);
        Append(2, 6, 7, 8);

        Assert.That(Write(), Is.Zero);
        Assert.That(Written, Is.EqualTo(Enumerable.Range(1, 10)));
    }

    [Test]
    public void Lines_of_one_lane_keep_their_order_even_when_the_clock_was_put_back()
    {
        Append(0, 5, 6, 1, 2);
        Append(1, 3, 4);

        Assert.That(Write(), Is.Zero);
        Assert.That(Written, Is.EqualTo((int[])[3, 4, 5, 6, 1, 2]));
    }

    [Test]
    public void Many_buffers_of_many_lanes_are_written_in_order()
    {
        const int Count = 30_000;
        var random = new Random(20260301);
        for (var number = 0; number < Count;)
        {
            // Now alone for a long while, now in turns: runs that are copied, and runs that are written as they are.
            var run = random.Next(3) == 0 ? 2_000 : 1 + random.Next(3);
            for (var lane = random.Next(_lanes.Length); run > 0 && number < Count; run--)
                Append(lane, number++);
        }

        Assert.That(_lanesWithFullBuffers, Is.EquivalentTo(Enumerable.Range(0, _lanes.Length)));
        Assert.That(Write(), Is.Zero);
        Assert.That(Written, Is.EqualTo(Enumerable.Range(0, Count)));
    }

    [Test]
    public void What_cannot_be_written_is_lost_line_by_line_and_the_next_line_begins_at_its_beginning()
    {
        _stream.FailsIn = 1;
        Append(0, 1, 3);
        Append(1, 2);
        Assert.That((Write(), _batch.Problem, _batch.Waiting), Is.EqualTo((3, "No space left on device", 0)));

        _stream.FailsIn = int.MaxValue;
        Append(0, 4);
        Assert.That((Write(), _batch.Problem, _batch.Waiting), Is.EqualTo((0, (string?)null, 0)));
        Assert.That(Encoding.UTF8.GetString(_stream.ToArray()), Does.StartWith("\n").And.Contain(" 4\n"));
        Assert.That(Written, Is.EqualTo((int[])[4]));
    }

    [Test]
    public void A_piece_that_fails_costs_only_its_own_lines()
    {
        const int Count = 3_000;
        for (var number = 0; number < Count; number++)
            Append(0, number);
        _stream.FailsIn = 2;
        var lost = Write();

        Assert.That(lost, Is.InRange(1, Count - 1));
        Assert.That(Written, Has.Length.EqualTo(Count - lost));
    }

    private int[] Written => [.. Encoding.UTF8.GetString(_stream.ToArray())
        .Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => int.Parse(line, CultureInfo.InvariantCulture))];

    private void Append(int lane, params ReadOnlySpan<int> numbers)
    {
        foreach (var number in numbers)
        {
            var news = _lanes[lane].Append(new ExchangeRecord { Status = number, Duration = new(number) });
            Assert.That(news, Is.Not.EqualTo(AccessNews.Lost));
            if (news == AccessNews.FullBuffer)
                _lanesWithFullBuffers.Add(lane);
        }
    }

    private int Write()
    {
        foreach (var lane in _lanes)
        {
            if (lane.Take(close: false) is { } first)
                _batch.Add(first);
        }

        return _batch.Write();
    }

    /// <summary>A number, and blanks before it: a line of 100 bytes.</summary>
    private sealed class Numbers : IAccessFormat
    {
        public int Write(in ExchangeRecord exchange, Span<byte> room)
        {
            var line = new AccessLine(room);
            line.Write($"{exchange.Status,99}\n");
            return line.Length;
        }
    }

    /// <summary>Fails at one write.</summary>
    private sealed class Faulty : MemoryStream
    {
        public int FailsIn { get; set; } = int.MaxValue;

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (--FailsIn == 0)
                throw new IOException("No space left on device");

            base.Write(buffer);
        }
    }
}
