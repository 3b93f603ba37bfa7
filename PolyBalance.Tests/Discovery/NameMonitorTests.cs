using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Discovery;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Discovery;

/// <summary>The loop of a name: real sockets, a clock that only the test moves.</summary>
internal sealed class NameMonitorTests
{
    private const string One = "clusters: { app: { health: off, backends: [ { dns: \"app.example.:80\" } ] } }";
    private const string Probed = "clusters: { app: { backends: [ { dns: \"app.example.:80\" } ] } }";

    [Test]
    public async Task Every_address_of_a_name_is_a_backend_beside_those_that_are_written()
    {
        await using var rig = new NameRig("""
            clusters:
              app: { health: off, backends: [ { dns: "app.example.:80", name: app }, "10.0.0.9:80" ] }
            """);
        rig.Server.Answer = question => question.With("10.0.0.2", "10.0.0.1", "2001:db8::1");

        await rig.StartAsync();

        Assert.That(rig.Backends, Is.EqualTo("10.0.0.9:80 app-10.0.0.1:80 app-10.0.0.2:80 app-[2001:db8::1]:80"));
        Assert.That(rig.Eligible, Is.EqualTo(rig.Backends), "nobody starts slowly at the start");
        Assert.That(rig.Backend("app-10.0.0.1:80").SlowStart.TenthsAt(0), Is.EqualTo(Ramp.Full));
    }

    [TestCase(2, "10.0.0.1:80")]
    [TestCase(3, "")]
    public async Task What_another_process_has_found_is_there_at_once_and_stays_as_if_found_here(int code, string left)
    {
        var found = FoundBackends.None.With(
            new(LookUpKind.Addresses, "app.example."), [new("10.0.0.1", 0, 1, IsLeaving: false)]);
        await using var rig = new NameRig(One, found: found);
        rig.Server.Answer = question => question.Reply(code);

        await rig.Monitor.StartAsync(TimeSpan.FromSeconds(5)).InTime();
        Assert.That(rig.Backends, Is.EqualTo("10.0.0.1:80"), "no name server was waited for");
        await Eventually.HoldsAsync(() => rig.Monitor.Describe()[0].NextLookUp is not null, () => "it was looked up");
        Assert.That(rig.Backends, Is.EqualTo("10.0.0.1:80"), "one answer without places ends nothing");
        for (var time = 0; time < 12; time++)
            await rig.LookUpAsync();

        Assert.That(rig.Backends, Is.EqualTo(left));
    }

    [Test]
    public async Task An_address_that_stays_stays_the_same_backend()
    {
        await using var rig = new NameRig(One);
        rig.Server.Answer = question => question.With("10.0.0.1", "10.0.0.2");
        await rig.StartAsync();
        var stays = rig.Backend("10.0.0.2:80");
        var version = rig.Store.Current.Version;

        rig.Server.Answer = question => question.With("10.0.0.2", "10.0.0.3");
        await rig.LookUpAsync();

        Assert.That(rig.Backends, Is.EqualTo("10.0.0.2:80 10.0.0.3:80"));
        Assert.That(rig.Backend("10.0.0.2:80"), Is.SameAs(stays));
        Assert.That(rig.Store.Current.Version, Is.EqualTo(version + 1), "that is one change");
        Assert.That(rig.Log.All, Has.One.EqualTo(
            "I dns app.example. stands for 2 places: 1 added, 1 removed (+10.0.0.3 -10.0.0.1)"));
        Assert.That(rig.Backend("10.0.0.3:80").SlowStart.TenthsAt(0), Is.LessThan(Ramp.Full), "it begins as others do");
    }

    [Test]
    public async Task A_name_of_several_clusters_is_looked_up_once()
    {
        await using var rig = new NameRig("""
            routes: [ { match: { path: /b }, cluster: b }, { cluster: a } ]
            clusters:
              a: { health: off, backends: [ { dns: "app.example.:80" } ] }
              b: { health: off, backends: [ { dns: "app.example.:81" } ] }
            """);
        rig.Server.Answer = question => question.With("10.0.0.1");

        await rig.StartAsync();

        Assert.That(rig.Store.Current.Backends().Select(backend => backend.Name),
            Is.EqualTo(["10.0.0.1:80", "10.0.0.1:81"]));
        Assert.That(rig.Server.Asked, Has.Length.EqualTo(2));
    }

    [Test]
    public async Task Services_say_ports_and_shares()
    {
        await using var rig = new NameRig(
            "clusters: { app: { health: off, backends: [ { srv: _http._tcp.app.example., weight: 2 } ] } }");
        rig.Server.Answer = question => question.Reply().WithPlace(question.Name, "a.example", 8081, weight: 10)
            .WithPlace(question.Name, "b.example", 8082, weight: 30).WithHost("a.example", "10.0.0.1")
            .WithHost("b.example", "10.0.0.2");

        await rig.StartAsync();

        Assert.That(rig.Store.Current.Options.Clusters[0].Backends.Select(one => $"{one.Name} {one.Weight}"),
            Is.EqualTo(["10.0.0.1:8081 2", "10.0.0.2:8082 6"]));
    }

    [TestCase(2, "the name server cannot find it out")]
    [TestCase(5, "the name server refuses to answer")]
    public async Task Who_cannot_tell_changes_nothing(int code, string reason)
    {
        await using var rig = new NameRig(One);
        rig.Server.Answer = question => question.With("10.0.0.1");
        await rig.StartAsync();

        rig.Server.Answer = question => question.Reply(code);
        for (var round = 0; round < 8; round++)
            await rig.LookUpAsync();
        Assert.That(rig.Backends, Is.EqualTo("10.0.0.1:80"));
        Assert.That(rig.Name.Age, Is.GreaterThan(TimeSpan.FromSeconds(60)));

        rig.Server.Answer = question => question.With("10.0.0.1");
        await rig.LookUpAsync();
        Assert.That(rig.Name.Age, Is.EqualTo(TimeSpan.Zero));
        Assert.That(rig.Log.All[^2..], Is.EqualTo((string[])
        [
            "W dns app.example. cannot be looked up since now, and the 1 places that are known stay in use: " + reason,
            "I dns app.example. can be looked up again",
        ]));
    }

    [Test]
    public async Task A_silent_server_is_asked_twice_and_changes_nothing()
    {
        await using var rig = new NameRig(One);
        rig.Server.Answer = question => question.With("10.0.0.1");
        await rig.StartAsync();
        var asked = rig.Server.Asked.Length;

        rig.Server.Answer = static _ => null;
        rig.Clock.Advance(rig.Delay);
        for (var round = 1; round <= Resolver.RoundsMax; round++)
        {
            var expected = asked + 2 * round;
            await Eventually.HoldsAsync(() => rig.Server.Asked.Length == expected, () => "both families are asked for");
            rig.Clock.Advance(DnsOptions.Default.Timeout);
        }

        await Eventually.HoldsAsync(
            () => rig.Name.Outcomes[(int)LookUpOutcome.TimedOut] == 1, () => "it has timed out");
        Assert.That(rig.Backends, Is.EqualTo("10.0.0.1:80"));
    }

    [TestCase(3)]
    [TestCase(0)]
    public async Task A_name_that_has_nothing_any_more_keeps_its_backends_for_a_while(int code)
    {
        await using var rig = new NameRig(One, "hold: 30s");
        rig.Server.Answer = question => question.With("10.0.0.1");
        await rig.StartAsync();

        rig.Server.Answer = question => question.Reply(code);
        await rig.LookUpAsync();
        var began = rig.Clock.Elapsed;
        Assert.That(rig.Backends, Is.EqualTo("10.0.0.1:80"));
        await rig.LookUpUntilAsync(() => rig.Backends.Length == 0);

        Assert.That(rig.Clock.Elapsed - began, Is.EqualTo(TimeSpan.FromSeconds(30)));
        Assert.That(rig.Log.All, Has.One.StartsWith(
            "W dns app.example. has no places any more, and the 1 that are known stay in use for 00:00:30"));
        Assert.That(rig.Log.All, Has.One.EqualTo(
            "W dns app.example. has had no places for 00:00:30: the 1 that were in use finish what they have"));

        rig.Server.Answer = question => question.With("10.0.0.1");
        await rig.LookUpAsync();
        Assert.That(rig.Backends, Is.EqualTo("10.0.0.1:80"));
    }

    [Test]
    public async Task A_name_that_is_not_looked_up_in_time_does_not_stop_the_start()
    {
        await using var rig = new NameRig(One);
        rig.Server.Answer = static _ => null;

        var starting = rig.Monitor.StartAsync(TimeSpan.FromSeconds(1));
        await Eventually.HoldsAsync(() => rig.Server.Asked.Length == 2, () => "both families are asked for");
        rig.Clock.Advance(TimeSpan.FromSeconds(1));
        await starting.InTime();

        Assert.That(rig.Backends, Is.Empty);
        Assert.That(rig.Log.All, Has.One.EqualTo(
            "W dns app.example. is not looked up yet, so no backend comes from it to begin with"));
    }

    [Test]
    public async Task A_name_that_is_not_there_does_not_either()
    {
        await using var rig = new NameRig(One);
        await rig.StartAsync();

        Assert.That(rig.Backends, Is.Empty);
        Assert.That(rig.Log.All, Has.One.EqualTo(
            "W dns app.example. has no places, so no backend comes from it: there is no such name"));
    }

    [Test]
    public async Task More_addresses_than_allowed_are_cut_off_with_a_warning()
    {
        await using var rig = new NameRig(One);
        string[] many = [.. Enumerable.Range(0, 1_100).Select(index => $"10.0.{index >> 8}.{index & 255}")];
        rig.Server.Answer = question => question.IsStream
            ? question.With(many)
            : new(question.Id, question.Name, question.Kind) { Flags = 0x8380 };

        await rig.StartAsync();

        Assert.That(rig.Store.Current.Backends().Count(), Is.EqualTo(Limits.AddressesPerNameMax));
        Assert.That(rig.Log.All, Has.One.EqualTo(
            "W dns app.example. stands for 1100 places, and 100 of them are not used: 1000 are the most"));
    }

    [Test]
    public async Task What_operators_have_changed_holds_for_as_long_as_its_backend_is_there()
    {
        await using var rig = new NameRig(One);
        rig.Server.Answer = question => question.With("10.0.0.1", "10.0.0.2");
        await rig.StartAsync();
        await rig.ChangeAsync((changes, given) => changes.WithDrain(given, "app", "10.0.0.1:80", isDrained: true));
        await rig.ChangeAsync((changes, given) => changes.WithWeight(given, "app", "10.0.0.2:80", 7));

        rig.Server.Answer = question => question.With("10.0.0.1", "10.0.0.3", "10.0.0.2");
        await rig.LookUpAsync();
        Assert.That(rig.Eligible, Is.EqualTo("10.0.0.2:80 10.0.0.3:80"));
        Assert.That(rig.Store.Current.Options.Clusters[0].Backends.Select(one => one.Weight), Is.EqualTo([1, 7, 1]));

        rig.Server.Answer = question => question.With("10.0.0.3");
        await rig.LookUpAsync();
        Assert.That(rig.Store.Current.Config.Changes.All, Is.Empty);
        await Eventually.HoldsAsync(
            () => rig.Log.All.Contains("I A change made at run time is over, because its backend is not found any "
                + "more: backend app/10.0.0.1:80: drain true"),
            () => "it is told");
    }

    [Test]
    public async Task A_reload_begins_with_the_backends_of_its_names_and_forgets_those_of_others()
    {
        await using var rig = new NameRig(One);
        rig.Server.Answer = question => question.With(question.Name == "app.example" ? "10.0.0.1" : "10.0.0.2");
        await rig.StartAsync();

        var version = rig.Store.Current.Version;
        await rig.ReloadAsync(One.Replace("app.example", "new.example", StringComparison.Ordinal));

        Assert.That((rig.Backends, rig.Store.Current.Version), Is.EqualTo(("10.0.0.2:80", version + 1)));
        Assert.That(rig.Name.Key.Name, Is.EqualTo("new.example."));
        await Eventually.HoldsAsync(() => rig.Name.NextLookUp is not null, () => "it is looked up again in time");
        Assert.That(rig.Server.Asked, Has.Length.EqualTo(4), "it was not looked up twice");
        await rig.LookUpAsync();
        Assert.That(rig.Server.Asked[^1].Name, Is.EqualTo("new.example"));
    }

    [Test]
    public async Task A_reload_of_something_else_changes_nothing_about_names()
    {
        await using var rig = new NameRig(One);
        rig.Server.Answer = question => question.With("10.0.0.1");
        await rig.StartAsync();
        var backend = rig.Backend("10.0.0.1:80");

        await rig.ReloadAsync(One.Replace("app:", "other:", StringComparison.Ordinal));
        await rig.ReloadAsync(One);

        Assert.That(rig.Backends, Is.EqualTo("10.0.0.1:80"));
        Assert.That(rig.Server.Asked, Has.Length.EqualTo(2));
        Assert.That(rig.Backend("10.0.0.1:80"), Is.Not.SameAs(backend), "it was gone in between");
    }

    [Test]
    public async Task Other_rules_are_taken_up_at_once()
    {
        await using var rig = new NameRig(One);
        rig.Server.Answer = question => question.With("10.0.0.1");
        await rig.StartAsync();

        await rig.ReloadAsync(One, "max_ttl: 10s");

        await Eventually.HoldsAsync(
            () => rig.Server.Asked.Length == 4 && rig.Name.NextLookUp is not null, () => "it is looked up again");
        Assert.That(rig.Delay.TotalSeconds, Is.InRange(9, 11));
    }

    [Test]
    public async Task Addresses_that_are_all_replaced_stay_until_one_of_the_new_ones_works()
    {
        await using var rig = new NameRig(Probed);
        rig.Server.Answer = question => question.With("10.0.0.1", "10.0.0.2");
        await rig.StartAsync();
        rig.Judge("10.0.0.1:80", Verdict.Healthy);
        rig.Judge("10.0.0.2:80", Verdict.Healthy);
        await rig.EligibleAsync("10.0.0.1:80 10.0.0.2:80");

        rig.Server.Answer = question => question.With("10.0.0.3", "10.0.0.4");
        await rig.LookUpAsync();
        Assert.That(rig.Backends, Is.EqualTo("10.0.0.3:80 10.0.0.4:80 10.0.0.1:80 10.0.0.2:80"));
        Assert.That(rig.Eligible, Is.EqualTo("10.0.0.1:80 10.0.0.2:80"));

        rig.Judge("10.0.0.4:80", Verdict.Healthy);
        await rig.BackendsAsync("10.0.0.3:80 10.0.0.4:80");
        Assert.That(rig.Eligible, Is.EqualTo("10.0.0.4:80"));
    }

    [Test]
    public async Task They_do_not_stay_longer_than_anything_else_that_is_gone()
    {
        await using var rig = new NameRig(Probed, "hold: 8s");
        rig.Server.Answer = question => question.With("10.0.0.1");
        await rig.StartAsync();
        rig.Judge("10.0.0.1:80", Verdict.Healthy);
        await rig.EligibleAsync("10.0.0.1:80");

        rig.Server.Answer = question => question.With("10.0.0.2");
        await rig.LookUpAsync();
        var began = rig.Clock.Elapsed;
        await rig.LookUpUntilAsync(() => rig.Backends == "10.0.0.2:80");

        Assert.That(rig.Clock.Elapsed - began, Is.EqualTo(TimeSpan.FromSeconds(8)));
    }

    [Test]
    public async Task They_do_not_stay_where_somebody_else_works()
    {
        await using var rig = new NameRig(Probed);
        rig.Server.Answer = question => question.With("10.0.0.1", "10.0.0.2");
        await rig.StartAsync();
        rig.Judge("10.0.0.1:80", Verdict.Healthy);
        rig.Judge("10.0.0.2:80", Verdict.Healthy);
        await rig.EligibleAsync("10.0.0.1:80 10.0.0.2:80");

        rig.Server.Answer = question => question.With("10.0.0.2", "10.0.0.3");
        await rig.LookUpAsync();

        Assert.That((rig.Backends, rig.Eligible), Is.EqualTo(("10.0.0.2:80 10.0.0.3:80", "10.0.0.2:80")));
    }

    [Test]
    public async Task Nobody_stays_where_the_new_ones_need_no_probe()
    {
        await using var rig = new NameRig(One);
        rig.Server.Answer = question => question.With("10.0.0.1");
        await rig.StartAsync();

        rig.Server.Answer = question => question.With("10.0.0.2");
        await rig.LookUpAsync();

        Assert.That((rig.Backends, rig.Eligible), Is.EqualTo(("10.0.0.2:80", "10.0.0.2:80")));
    }
}
