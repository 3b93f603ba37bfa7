using NUnit.Framework;
using PolyBalance.Discovery;

namespace PolyBalance.Tests.Discovery;

/// <summary>Services: places, and the addresses of their hosts. RFC 2782.</summary>
internal sealed class ServiceTests
{
    private const string Service = "_http._tcp.x.example";

    [Test]
    public async Task Addresses_that_come_along_are_not_asked_for_again()
    {
        using var rig = new ResolverRig();
        rig.Server.Answer = question => question.Reply().WithPlace(Service, "b.example", 81, weight: 2)
            .WithPlace(Service, "a.example", 80, weight: 1).WithHost("a.example", "10.0.0.1")
            .WithHost("b.example", "10.0.0.2").WithHost("other.example", "10.6.6.6");

        var result = await rig.FindPlacesAsync(Service + ".");

        Assert.That(ResolverRig.AddressesOf(result), Is.EqualTo("10.0.0.1:80 10.0.0.2:81"));
        Assert.That(result.Hosts.Select(host => host.Weight), Is.EqualTo([1, 2]));
        Assert.That(rig.Server.Asked, Has.Length.EqualTo(1));
    }

    [Test]
    public async Task The_others_are()
    {
        using var rig = new ResolverRig();
        rig.Server.Answer = question => question.Kind == RecordKind.Place
            ? question.Reply().WithPlace(Service, "a.example", 80).WithPlace(Service, "b.example", 81)
                .WithHost("a.example", "10.0.0.1")
            : question.With("10.0.0.9", "2001:db8::9");

        Assert.That(ResolverRig.AddressesOf(await rig.FindPlacesAsync(Service + ".")),
            Is.EqualTo("10.0.0.9:80 [2001:db8::9]:80 10.0.0.9:81 [2001:db8::9]:81"));
    }

    [Test]
    public async Task Some_may_be_missing_where_hosts_have_different_families()
    {
        using var rig = new ResolverRig();
        rig.Server.Answer = question => question.Kind == RecordKind.Place
            ? question.Reply().WithPlace(Service, "a.example", 80).WithPlace(Service, "b.example", 80)
                .WithHost("a.example", "10.0.0.1").WithHost("a.example", "2001:db8::1")
                .WithHost("b.example", "10.0.0.2")
            : question.With(question.Name == "a.example" ? ["10.0.0.1", "2001:db8::1"] : ["10.0.0.2", "2001:db8::2"]);

        Assert.That(ResolverRig.AddressesOf(await rig.FindPlacesAsync(Service + ".")),
            Is.EqualTo("10.0.0.1:80 [2001:db8::1]:80 10.0.0.2:80 [2001:db8::2]:80"));
    }

    [Test]
    public async Task Those_of_the_first_priority_come_first_whatever_the_numbers_are()
    {
        using var rig = new ResolverRig();
        rig.Server.Answer = question => question.Reply().WithPlace(Service, "b.example", 81, priority: 600)
            .WithPlace(Service, "a.example", 80, priority: 5).WithPlace(Service, "c.example", 80, priority: 65535)
            .WithPlace(Service, "d.example", 80, priority: 5).WithHost("a.example", "10.0.0.1")
            .WithHost("b.example", "10.0.0.2").WithHost("c.example", "10.0.0.3").WithHost("d.example", "10.0.0.4");

        var result = await rig.FindPlacesAsync(Service + ".");

        Assert.That(ResolverRig.AddressesOf(result), Is.EqualTo("10.0.0.1:80 10.0.0.4:80 10.0.0.2:81 10.0.0.3:80"));
        Assert.That(result.Hosts.Select(host => host.Rank), Is.EqualTo([0, 0, 1, 2]));
    }

    [Test]
    public async Task A_service_may_say_that_it_is_not_there()
    {
        using var rig = new ResolverRig();
        rig.Server.Answer = question => question.Reply().WithPlace(Service, ".", 80).WithPlace(Service, "a.example", 0);

        Assert.That((await rig.FindPlacesAsync(Service + ".")).Outcome, Is.EqualTo(LookUpOutcome.NoRecords));
    }

    [Test]
    public async Task A_host_that_cannot_be_found_out_does_not_hide_the_others()
    {
        using var rig = new ResolverRig();
        rig.Server.Answer = question => question.Name switch
        {
            "a.example" => question.Reply(code: 2),
            "b.example" => question.With("10.0.0.2"),
            _ => question.Reply().WithPlace(Service, "a.example", 80).WithPlace(Service, "b.example", 80),
        };

        var result = await rig.FindPlacesAsync(Service + ".");

        Assert.That(ResolverRig.AddressesOf(result), Is.EqualTo("10.0.0.2:80"));
        Assert.That(result.Hosts.Select(host => host.Four.Outcome),
            Is.EqualTo([LookUpOutcome.ServerFailed, LookUpOutcome.Found]));
    }

    [Test]
    public async Task A_service_that_is_not_there_is_looked_for_under_longer_names()
    {
        using var rig = new ResolverRig("search one.example\noptions ndots:5");
        await rig.FindPlacesAsync(Service);

        Assert.That(rig.Server.Asked.Select(asked => asked.Name), Is.EqualTo([Service + ".one.example", Service]));
    }
}
