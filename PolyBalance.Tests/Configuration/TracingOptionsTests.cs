using NUnit.Framework;
using PolyBalance.Configuration;

namespace PolyBalance.Tests.Configuration;

internal sealed class TracingOptionsTests
{
    private const string Smallest =
        "listeners: [ { bind: \":8000\" } ]\nclusters: { web: { backends: [ \"a:80\" ] } }\n";

    [TestCase("", TestName = "without the section")]
    [TestCase("tracing: off")]
    public void Nobody_traces_unless_it_is_asked_for(string section)
        => Assert.That(Read(section), Is.Null);

    [Test]
    public void What_is_not_written_the_standard_variables_say()
        => Assert.That(Read("tracing: { }"), Is.EqualTo(new TracingOptions
        {
            Collector = null,
            Protocol = null,
            SamplePerMillion = 10_000,
            TrustsParent = true,
            Name = null,
        }));

    [Test]
    public void Everything_can_be_written()
        => Assert.That(
            Read("tracing: { endpoint: \"https://otlp.example/x\", protocol: http, sample: 0.125%, "
                + "trust_parent: false, service_name: edge }"),
            Is.EqualTo(new TracingOptions
            {
                Collector = new("https://otlp.example/x"),
                Protocol = TracingProtocol.Http,
                SamplePerMillion = 1_250,
                TrustsParent = false,
                Name = "edge",
            }));

    [TestCase("0%", 0)]
    [TestCase("0.0001%", 1)]
    [TestCase("1%", 10_000)]
    [TestCase("33.3333%", 333_333)]
    [TestCase("100%", 1_000_000)]
    [TestCase("100.0%", 1_000_000)]
    public void A_sample_is_a_percentage(string written, int perMillion)
        => Assert.That(Read($"tracing: {{ sample: {written} }}")!.SamplePerMillion, Is.EqualTo(perMillion));

    [TestCase("sample: 0.01", "3:20: the percentage `0.01` has no sign; write `0.01%`")]
    [TestCase("sample: 100.0001%", "3:20: `100.0001%` is not a share of all exchanges; write a number from `0%` to "
        + "`100%` with at most four decimals, such as `0.1%`")]
    [TestCase("sample: 0.00001%", "3:20: `0.00001%` is not a share of all exchanges; write a number from `0%` to "
        + "`100%` with at most four decimals, such as `0.1%`")]
    [TestCase("sample: -1%", "3:20: `-1%` is not a share of all exchanges; write a number from `0%` to `100%` with at "
        + "most four decimals, such as `0.1%`")]
    [TestCase("sample: 1%%", "3:20: `1%%` is not a share of all exchanges; write a number from `0%` to `100%` with at "
        + "most four decimals, such as `0.1%`")]
    [TestCase("endpoint: \"127.0.0.1:4317\"", "3:22: `127.0.0.1:4317` is no URL of a collector; write one such as "
        + "`http://127.0.0.1:4317`")]
    [TestCase("endpoint: \"http://u:p@h:1\"", "3:22: `http://u:p@h:1` is no URL of a collector; write one such as "
        + "`http://127.0.0.1:4317`")]
    [TestCase("endpoint: \" http://h\"", "3:22: ` http://h` is no URL of a collector; write one such as "
        + "`http://127.0.0.1:4317`")]
    [TestCase("endpoint: \"ftp://h\"", "3:22: `ftp://h` is no URL of a collector; write one such as "
        + "`http://127.0.0.1:4317`")]
    [TestCase("protocol: https", "3:22: `https` is no protocol; did you mean `http`?")]
    [TestCase("samples: 1%", "3:12: unknown key `samples`; did you mean `sample`?")]
    public void A_mistake_is_an_error(string keys, string expected)
    {
        var result = ProxyOptions.Parse($"{Smallest}tracing: {{ {keys} }}", "test.yaml");

        Assert.That(result.Errors.Select(error => error.ToString()), Is.EqualTo((string[])[$"test.yaml:{expected}"]));
    }

    private static TracingOptions? Read(string section)
    {
        var result = ProxyOptions.Parse(Smallest + section, "test.yaml");
        Assert.That(result.Errors, Is.Empty);
        return result.Options!.Tracing;
    }
}
