using NUnit.Framework;
using PolyBalance.Configuration;
using PolyBalance.Health;

namespace PolyBalance.Tests.Health;

internal sealed class ProbesTests
{
    [Test]
    public void Every_kind_that_can_be_written_has_its_probe()
        => Assert.That(Probes.All.Select(probe => probe.Kind), Is.EqualTo(Enum.GetValues<ProbeKind>()));
}
