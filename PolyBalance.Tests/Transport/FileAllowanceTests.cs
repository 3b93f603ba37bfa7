using NUnit.Framework;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Transport;

/// <summary>Who gets a file descriptor, and who does not.</summary>
internal sealed class FileAllowanceTests
{
    private const int Reserved = Limits.FilesReserved;

    [TestCase("Max open files            20000                524288               files     ", 20_000)]
    [TestCase("Max open files            unlimited            unlimited            files     ", null)]
    [TestCase("Max processes             63432                63432                processes ", null)]
    public void The_soft_limit_is_what_the_kernel_says(string line, int? limit)
        => Assert.That(FileAllowance.SoftLimitIn(["Limit  Soft Limit  Hard Limit  Units", line]), Is.EqualTo(limit));

    [TestCase(100, 25)]
    [TestCase(300, 75)]
    [TestCase(500, 500 - Reserved)]
    [TestCase(20_000, 20_000 - Reserved)]
    [TestCase(1, 1)]
    public void What_is_reserved_is_never_given_to_connections(int limit, int max)
        => Assert.That(new FileAllowance(limit).Max, Is.EqualTo(max));

    [Test]
    public void Ten_thousand_clients_fit_twenty_thousand_files_and_a_thousand_with_a_backend_each_fit_4096()
    {
        Assert.That(new FileAllowance(20_000).ClientsMax, Is.GreaterThan(10_000));
        Assert.That(new FileAllowance(4_096).ClientsMax, Is.GreaterThan(1_000));
        Assert.That(new FileAllowance(4_096).Max, Is.GreaterThan(2_000));
    }

    [Test]
    public void Without_a_limit_everybody_gets_what_he_wants()
    {
        var files = new FileAllowance();
        files.Add(1_000_000);
        files.AddListening(1_000);

        Assert.That(files.TryTake() && files.TryTakeSpare(2) && files.TryAdmit(1_000_000), Is.True);
        Assert.That((files.IsExceeded, files.IsShort, files.HasRoomForAll), Is.EqualTo((false, false, true)));
        Assert.That(files.Refusals, Is.EqualTo(default(FileRefusals)));
    }

    [Test]
    public void A_client_is_admitted_while_there_is_room_and_backends_are_left_their_part()
    {
        var files = new FileAllowance(400);
        files.Add(files.Max);

        Assert.That(files.TryAdmit(files.ClientsMax - 1), Is.True);
        Assert.That(files.TryAdmit(files.ClientsMax), Is.False, "the rest is for backends");
        files.AddArriving(1);
        Assert.That(files.TryAdmit(files.ClientsMax - 1), Is.False, "somebody was there before");
        files.AddArriving(-1);
        files.Add();
        Assert.That(files.TryAdmit(1), Is.False, "he who was just counted is one too many");
        files.Return();
        Assert.That(files.TryAdmit(1), Is.True);
        Assert.That(files.Refusals, Is.EqualTo(new FileRefusals(3, 0)));
    }

    [Test]
    public void What_is_merely_useful_gets_none_while_few_are_left()
    {
        var files = new FileAllowance(400);
        files.Add(files.ClientsMax - 3);

        Assert.That((files.TryTakeSpare(2), files.TryTakeSpare(2), files.TryTake()), Is.EqualTo((true, false, true)));
        Assert.That((files.Open, files.HasSpare), Is.EqualTo((files.ClientsMax, true)));
        files.Add();
        Assert.That(files.HasSpare, Is.False);
    }

    [Test]
    public void There_is_room_for_all_who_may_wait_at_every_listening_socket()
    {
        var files = new FileAllowance(20_000);
        files.AddListening(2);
        Assert.That(files.HasRoomForAll, Is.True);

        files.AddListening(3);
        Assert.That(files.HasRoomForAll, Is.False);
        files.AddListening(-3);
        files.Add(files.Max - 2 - (2 * Limits.BacklogMax));

        Assert.That(files.HasRoomForAll, Is.False);
        files.Return();
        Assert.That(files.HasRoomForAll, Is.True);
    }

    [Test]
    public async Task However_many_take_at_once_no_more_are_held_than_there_are()
    {
        var files = new FileAllowance(400);
        var held = 0;
        var most = 0;
        var refused = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(seed => Task.Run(() =>
        {
            var random = new Random(seed);
            var mine = 0;
            for (var round = 0; round < 50_000; round++)
            {
                if (random.Next(3) == 0 && mine > 0)
                {
                    Interlocked.Decrement(ref held);
                    files.Return();
                    mine--;
                }
                else if (files.TryTake())
                {
                    var now = Interlocked.Increment(ref held);
                    InterlockedMax(ref most, now);
                    mine++;
                }
                else
                {
                    Interlocked.Increment(ref refused);
                }
            }

            Interlocked.Add(ref held, -mine);
            files.Return(mine);
        }))).InTime();

        Assert.That((most, files.Open), Is.EqualTo((files.Max, 0)));
        Assert.That(refused, Is.Positive);
    }

    private static void InterlockedMax(ref int most, int value)
    {
        var seen = Volatile.Read(ref most);
        while (value > seen)
        {
            var before = Interlocked.CompareExchange(ref most, value, seen);
            if (before == seen)
                return;
            seen = before;
        }
    }
}
