using System.Text;
using NUnit.Framework;
using PolyBalance.Telemetry;

namespace PolyBalance.Tests.Telemetry;

internal sealed class FlightRecorderTests
{
    private static readonly DateTimeOffset Beginning = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [TestCase(FailureKind.None, 1, 0.9, false)]
    [TestCase(FailureKind.None, 1, 1.0, true)]
    [TestCase(FailureKind.None, 2, 0.0, true)]
    [TestCase(FailureKind.ConnectRefused, 1, 0.0, true)]
    [TestCase(FailureKind.QueueFull, 0, 0.0, true)]
    [TestCase(FailureKind.ClientClosed, 1, 5.0, false)]
    [TestCase(FailureKind.MalformedField, 0, 0.0, false)]
    public void What_deserves_a_look(FailureKind failure, int attempts, double firstByte, bool expected)
        => Assert.That(
            FlightRecorder.Wants(failure, attempts, TimeSpan.FromSeconds(firstByte)), Is.EqualTo(expected));

    [Test]
    public void The_latest_two_hundred_are_kept_the_latest_first()
    {
        var recorder = new FlightRecorder();
        for (var number = 0; number < 450; number++)
            recorder.Add(Record($"/{number}", Beginning + TimeSpan.FromSeconds(number)));

        Assert.That(recorder.Latest().Select(flight => flight.Target),
            Is.EqualTo(Enumerable.Range(0, 200).Select(index => $"/{449 - index}")));
        Assert.That(recorder.Missed, Is.Zero);
    }

    [Test]
    public void What_another_process_has_kept_stands_where_its_time_says()
    {
        var (former, recorder) = (new FlightRecorder(), new FlightRecorder());
        for (var number = 0; number < 450; number++)
            (number % 3 == 0 ? recorder : former).Add(Record($"/{number}", Beginning + TimeSpan.FromSeconds(number)));

        recorder.Inherit(former.Latest());

        Assert.That(recorder.Latest().Select(flight => flight.Target),
            Is.EqualTo(Enumerable.Range(0, 200).Select(index => $"/{449 - index}")));
        recorder.Add(Record("/new", Beginning + TimeSpan.FromSeconds(450)));
        Assert.That(recorder.Latest().Select(flight => flight.Target).Take(2), Is.EqualTo(["/new", "/449"]));
    }

    [Test]
    public void What_a_later_look_finds_is_what_was_kept_since()
    {
        var recorder = new FlightRecorder();
        recorder.Add(Record("/1", Beginning));
        Assert.That(recorder.Since(0, out var first).Select(flight => flight.Target), Is.EqualTo(["/1"]));
        Assert.That(recorder.Since(first, out var second), Is.Empty);
        for (var number = 0; number < 250; number++)
            recorder.Add(Record($"/{number}", Beginning + TimeSpan.FromSeconds(number)));

        var since = recorder.Since(second, out _);
        Assert.That((since.Length, since[0].Target), Is.EqualTo((200, "/249")), "some are pushed out already");
    }

    [Test]
    public void A_flood_is_kept_in_part_and_the_rest_is_counted()
    {
        var recorder = new FlightRecorder();
        for (var number = 0; number < 1_000; number++)
            recorder.Add(Record("/", Beginning));
        recorder.Add(Record("/later", Beginning + TimeSpan.FromSeconds(1)));

        Assert.That(recorder.Latest(), Has.Length.EqualTo(FlightRecorder.PerSecondMax + 1));
        Assert.That(recorder.Missed, Is.EqualTo(1_000 - FlightRecorder.PerSecondMax));
    }

    [Test]
    public void What_was_lent_is_copied_and_a_long_target_is_cut_off()
    {
        var target = Encoding.ASCII.GetBytes("/" + new string('a', 8_000));
        var recorder = new FlightRecorder();
        recorder.Add(Record("/", Beginning) with { Target = target });
        target.AsSpan().Fill((byte)'z');

        Assert.That(recorder.Latest()[0].Target, Is.EqualTo("/" + new string('a', 1_023)));
        Assert.That(recorder.Latest()[0].Record.Target.IsEmpty);
    }

    private static ExchangeRecord Record(string target, DateTimeOffset started)
        => new() { Started = started, Target = Encoding.ASCII.GetBytes(target), Failure = FailureKind.ConnectRefused };
}
