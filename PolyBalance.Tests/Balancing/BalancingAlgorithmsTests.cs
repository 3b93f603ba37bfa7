using NUnit.Framework;
using PolyBalance.Balancing;
using PolyBalance.Configuration;

namespace PolyBalance.Tests.Balancing;

internal sealed class BalancingAlgorithmsTests
{
    [Test]
    public void The_registry_is_what_the_configuration_accepts()
    {
        var names = BalancingAlgorithms.All.Select(algorithm => algorithm.Name);

        Assert.That(names, Is.EqualTo(ClusterOptions.Algorithms));
    }

    [Test]
    public void A_name_that_nobody_implements_is_a_bug()
        => Assert.Throws<InvalidOperationException>(() => BalancingAlgorithms.Of("by_the_moon"));
}
