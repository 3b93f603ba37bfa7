using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using PolyBalance.Configuration;
using PolyBalance.Host;
using PolyBalance.Host.Configuration;
using PolyBalance.Host.Telemetry;

namespace PolyBalance.Tests.Host;

internal sealed class ConfigSourceTests
{
    [Test]
    public void Who_only_asks_what_is_there_does_not_keep_a_change_from_being_noticed()
    {
        using var run = new CommandLineRun();
        using var accessLogs = new AccessLogs(NullLogger.Instance);
        using var traces = new TraceExports(NullLogger.Instance);
        var source = new ConfigSource(
            null, new ConfigOverrides(), run.Surroundings, new LogLevelSwitch(LoggingLevel.Error), accessLogs,
            traces)
        {
            Text = "before",
        };
        run.File("polybalance.yaml", "limit: 1");

        Assert.That(source.Read(isToApply: false).Errors, Is.Not.Empty);
        Assert.That(source.Text, Is.EqualTo("before"));
        Assert.That(source.Read(isToApply: true).Errors, Is.Not.Empty);
        Assert.That(source.Text, Is.EqualTo("limit: 1"), "it was tried, and is not tried again and again");
    }
}
