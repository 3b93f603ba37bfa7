using NUnit.Framework;
using PolyBalance.Benchmarks.Compare.Figures;

namespace PolyBalance.Tests.Performance;

/// <summary>What a comparison reads: wrk's last line and the files of /proc.</summary>
internal sealed class CompareReadingTests
{
    [Test]
    public void The_line_of_wrk_is_found_among_its_own_table()
    {
        var report = WrkReport.Parse(
            """
            Running 1s test @ http://127.0.0.1:8100/
              2816 requests in 1.06s, 541.75KB read
            compare: 2816 1058917 1 2 3 4 5 600 700 800 900 1000
            """)!;

        Assert.That(report.Requests, Is.EqualTo(2816));
        Assert.That(report.Seconds, Is.EqualTo(1.058917).Within(1e-9));
        Assert.That(report.Errors, Is.EqualTo(new LoadErrors(1, 2, 3, 4, 5)));
        Assert.That(report.Latency, Is.EqualTo(new Latencies(600, 700, 800, 900, 1000)));
    }

    [TestCase("")]
    [TestCase("unable to connect to 127.0.0.1:1 Connection refused")]
    [TestCase("compare: 1 2 3")]
    [TestCase("compare: 1 2 3 4 5 6 7 8 9 10 11 twelve")]
    public void Without_the_whole_line_there_is_no_report(string output)
        => Assert.That(WrkReport.Parse(output), Is.Null);

    [Test]
    public void A_program_with_brackets_and_blanks_in_its_name_is_read_like_any_other()
    {
        const string Stat = "4711 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 250 125 0 0 20 0 4 0 99 0 0";

        var used = ProcFiles.CpuOf(Stat);

        Assert.That(used.User, Is.EqualTo(2.5));
        Assert.That(used.System, Is.EqualTo(1.25));
    }

    [Test]
    public void The_running_time_of_a_thread_is_the_first_number_in_nanoseconds()
        => Assert.That(ProcFiles.RunTimeOf("1500000000 64496 12\n"), Is.EqualTo(1.5));

    [Test]
    public void Shared_memory_counts_once()
        => Assert.That(
            ProcFiles.PssOf("5581-7ffd ---p 00:00 0  [rollup]\nRss:  4096 kB\nPss:  2048 kB\nPss_Dirty: 1 kB\n"),
            Is.EqualTo(2));

    [TestCase("Max open files            20000                30000                files\n", 20000)]
    [TestCase("Max open files            unlimited            30000                files\n", 30000)]
    [TestCase("Max processes             1                    1                    processes\n", null)]
    public void A_number_is_found_behind_its_name(string text, long? number)
        => Assert.That(ProcFiles.NumberAfter(text, "Max open files"), Is.EqualTo(number));
}
