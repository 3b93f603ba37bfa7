using NUnit.Framework;

namespace PolyBalance.Tests.Interop;

/// <summary>A real backend that answers 500 to everything while a program makes load.</summary>
[Platform("Linux", Reason = "nginx and wrk")]
internal sealed class UnwantedStatusTests
{
    // A third of the requests begin at the one that fails: more than the budget allows by default.
    private const string Keys = "health: off, retries: { statuses: 500-599, budget: 50% }, ";
    private const int Clients = 64;

    [TestCaseSource(typeof(Transports), nameof(Transports.All))]
    public async Task No_get_fails_while_one_of_three_backends_answers_500(string transport)
    {
        await using var one = await NginxBackend.StartAsync("one");
        await using var two = await NginxBackend.StartAsync("two");
        await using var three = await NginxBackend.StartAsync("three");
        NginxBackend[] all = [one, two, three];
        var addresses = string.Join(", ", all.Select(backend => $"\"{backend.Address}\""));
        await using var gateway = await Gateway.StartAsync(
            transport, $"clusters: {{ web: {{ {Keys}backends: [ {addresses} ] }} }}\n");
        two.IsFailing = true;

        var output = await RunningProgram.RunAsync(
            Programs.Find("wrk"), $"-c{Clients}", "-t1", "-d4s", "--timeout", "30s", gateway.At("/counted"));

        LoadProgramTests.AssertWrkIsContent(output);
        var others = one.Counted + three.Counted;
        // Each request ends at another one, and a third of them began here, give or take those in flight at the end.
        Assert.That(two.Counted, Is.EqualTo(others / 3).Within(Clients), "it stays in service and is asked every time");
        gateway.AssertHealthy();
    }
}
