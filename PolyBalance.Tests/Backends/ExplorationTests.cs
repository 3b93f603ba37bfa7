using NUnit.Framework;
using PolyBalance.Backends;

namespace PolyBalance.Tests.Backends;

internal sealed class ExplorationTests
{
    [Test]
    public void Intervals_double_up_to_their_maximum()
    {
        var exploration = new Exploration();
        int[] expected = [16, 32, 64, 128, 256, 512, 1_024, 1_024];
        foreach (var interval in expected)
            Assert.That(PassOver(exploration, interval), Is.EqualTo(1), $"once, at the last of {interval}");
    }

    [Test]
    public void To_hasten_brings_the_interval_back_and_what_was_counted_counts()
    {
        var exploration = new Exploration();
        PassOver(exploration, 16 + 32 + 20);
        exploration.Hasten();

        Assert.That(exploration.IsDueWhenPassedOver(), Is.True);
        Assert.That(PassOver(exploration, 31), Is.Zero);
        Assert.That(exploration.IsDueWhenPassedOver(), Is.True);
    }

    [Test]
    public void One_answer_is_taken_for_one_that_was_asked_for()
    {
        var exploration = new Exploration();
        Assert.That(exploration.TakeAnswer(), Is.False);

        PassOver(exploration, 16);
        Assert.That((exploration.TakeAnswer(), exploration.TakeAnswer()), Is.EqualTo((true, false)));
    }

    [Test]
    public async Task Many_threads_at_once_back_off_as_one_does()
    {
        var exploration = new Exploration();
        var threads = new Task<int>[8];
        for (var thread = 0; thread < threads.Length; thread++)
            threads[thread] = Task.Run(() => PassOver(exploration, 10_000));

        // One thread: 6 until the interval is 1,024, and 77 with it. Several may count a few less, or ask once more.
        Assert.That((await Task.WhenAll(threads)).Sum(), Is.InRange(70, 95));
    }

    // How often it was due.
    private static int PassOver(Exploration exploration, int times)
    {
        var due = 0;
        for (var time = 0; time < times; time++)
            due += exploration.IsDueWhenPassedOver() ? 1 : 0;
        return due;
    }
}
