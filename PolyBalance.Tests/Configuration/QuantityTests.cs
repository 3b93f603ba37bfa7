using NUnit.Framework;
using PolyBalance.Configuration;

namespace PolyBalance.Tests.Configuration;

internal sealed class QuantityTests
{
    [TestCase("500ms", 500)]
    [TestCase("10s", 10_000)]
    [TestCase("5m", 300_000)]
    [TestCase("1h", 3_600_000)]
    [TestCase("1h30m", 5_400_000)]
    [TestCase("1m1s1ms", 61_001)]
    [TestCase("0s", 0)]
    public void A_duration_is_numbers_with_units(string text, int milliseconds)
        => Assert.That(Quantity.Duration(text, TimeSpan.Zero, Quantity.Longest),
            Is.EqualTo(new Parsed<TimeSpan>(TimeSpan.FromMilliseconds(milliseconds), null)));

    [TestCase("10", "has no unit", "write `10s`")]
    [TestCase("0", "has no unit", "write `0s`")]
    [TestCase("-5s", "is negative", "")]
    [TestCase("", "is not a duration", "write a number and a unit")]
    [TestCase("s", "is not a duration", "write a number and a unit")]
    [TestCase("1.5s", "is not a duration", "write `1500ms`")]
    [TestCase("0.25 hours", "is not a duration", "write `15m`")]
    [TestCase("0.0001s", "is not a duration", "write a number and a unit")]
    [TestCase("1.2.3s", "is not a duration", "write a number and a unit")]
    [TestCase("8d", "is not a duration", "write a number and a unit")]
    [TestCase("999999999999d", "is not a duration", "write a number and a unit")]
    [TestCase("10 s", "is not a duration", "write `10s`")]
    [TestCase("10sec", "is not a duration", "write `10s`")]
    [TestCase("1d", "is not a duration", "write `24h`")]
    [TestCase("5s1m", "is not a duration", "write a number and a unit")]
    [TestCase("5s5s", "is not a duration", "write a number and a unit")]
    [TestCase("0s", "0s is outside 1ms to 168h", "write at least `1ms`")]
    [TestCase("169h", "169h is outside 1ms to 168h", "write at most `168h`")]
    [TestCase("999999999999h", "is outside", "write at most `168h`")]
    [TestCase("9999999999999h", "is not a duration", "")]
    public void A_wrong_duration_is_refused_with_a_reason(string text, string problem, string remedy)
    {
        var flaw = Quantity.Duration(text, Quantity.Shortest, Quantity.Longest).Flaw;

        Assert.That(flaw?.Problem, Does.Contain(problem));
        Assert.That(flaw?.Remedy, Does.StartWith(remedy));
    }

    [TestCase(0, ExpectedResult = "0s")]
    [TestCase(1, ExpectedResult = "1ms")]
    [TestCase(1_500, ExpectedResult = "1500ms")]
    [TestCase(75_000, ExpectedResult = "75s")]
    [TestCase(60_000, ExpectedResult = "1m")]
    [TestCase(5_400_000, ExpectedResult = "90m")]
    public string A_duration_is_written_in_the_largest_unit_that_divides_it(int milliseconds)
        => Quantity.Write(TimeSpan.FromMilliseconds(milliseconds));

    [TestCase("0", 0)]
    [TestCase("1024", 1024)]
    [TestCase("7B", 7)]
    [TestCase("64KiB", 65_536)]
    [TestCase("64KB", 64_000)]
    [TestCase("10MiB", 10_485_760)]
    [TestCase("2gib", 2_147_483_648)]
    [TestCase("1TB", 1_000_000_000_000)]
    public void A_size_is_bytes_or_has_a_unit(string text, long bytes)
        => Assert.That(Quantity.Size(text, 0, long.MaxValue), Is.EqualTo(new Parsed<long>(bytes, null)));

    [TestCase("64K", "is not a size", "write `64KiB`")]
    [TestCase("10m", "is not a size", "write `10MiB`")]
    [TestCase("1G", "is not a size", "write `1GiB`")]
    [TestCase("64 KiB", "is not a size", "write `64KiB`")]
    [TestCase("64 KiBit", "is not a size", "write bytes")]
    [TestCase("1.5MiB", "is not a size", "write bytes")]
    [TestCase("big", "is not a size", "write bytes")]
    [TestCase("", "is not a size", "write bytes")]
    [TestCase("-1", "is negative", "write bytes")]
    [TestCase("0123", "begins with 0", "write `123`")]
    [TestCase("2MiB", "2MiB is outside 1KiB to 1MiB", "write at most `1MiB`")]
    [TestCase("1", "1 is outside 1KiB to 1MiB", "write at least `1KiB`")]
    [TestCase("999999999999TiB", "is outside", "write at most `1MiB`")]
    public void A_wrong_size_is_refused_with_a_reason(string text, string problem, string remedy)
    {
        var flaw = Quantity.Size(text, 1024, 1024 * 1024).Flaw;

        Assert.That(flaw?.Problem, Does.Contain(problem));
        Assert.That(flaw?.Remedy, Does.StartWith(remedy));
    }

    [TestCase("0%", ExpectedResult = 0)]
    [TestCase("20%", ExpectedResult = 20)]
    [TestCase("100%", ExpectedResult = 100)]
    public int A_percentage_has_its_sign(string text) => Quantity.Percent(text).Value;

    [TestCase("20", "write `20%`")]
    [TestCase("101%", "from `0%` to `100%`")]
    [TestCase("-1%", "from `0%` to `100%`")]
    [TestCase("12.5%", "from `0%` to `100%`")]
    [TestCase("%", "from `0%` to `100%`")]
    [TestCase("", "from `0%` to `100%`")]
    public void A_wrong_percentage_is_refused_with_a_reason(string text, string remedy)
        => Assert.That(Quantity.Percent(text).Flaw?.Remedy, Does.Contain(remedy));

    [TestCase("1", "")]
    [TestCase("1000", "")]
    [TestCase("0", "0 is outside 1 to 1000; write at least `1`")]
    [TestCase("1001", "1001 is outside 1 to 1000; write at most `1000`")]
    [TestCase("-5", "-5 is outside 1 to 1000; write at least `1`")]
    [TestCase("0123", "`0123` begins with 0, which some YAML tools read as octal; write `123`")]
    [TestCase("1_0", "`1_0` is not a whole number; write a number from 1 to 1000")]
    [TestCase("1.0", "`1.0` is not a whole number; write a number from 1 to 1000")]
    [TestCase("ten", "`ten` is not a whole number; write a number from 1 to 1000")]
    [TestCase("", "`` is not a whole number; write a number from 1 to 1000")]
    [TestCase("99999999999999999999", "`99999999999999999999` is not a whole number; write a number from 1 to 1000")]
    public void A_count_is_a_whole_number_within_bounds(string text, string expected)
    {
        var flaw = Quantity.Count(text, 1, 1_000).Flaw;

        Assert.That(flaw is null ? "" : $"{flaw.Problem}; {flaw.Remedy}", Is.EqualTo(expected));
    }
}
