using System.Net;
using System.Net.Sockets;
using NUnit.Framework;
using PolyBalance.Discovery;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Discovery;

/// <summary>The resolver and real sockets against name servers that answer, lie, are silent or not there.</summary>
internal sealed class ResolverTests
{
    [Test]
    public async Task Both_families_of_a_name_are_asked_for()
    {
        using var rig = new ResolverRig();
        rig.Server.Answer = question => question.With("10.0.0.1", "2001:db8::1", "10.0.0.2");

        var result = await rig.FindHostAsync("backend.example.");

        Assert.That(ResolverRig.AddressesOf(result), Is.EqualTo("10.0.0.1 10.0.0.2 2001:db8::1"));
        Assert.That(rig.Server.Asked.Select(asked => (asked.Name, asked.Kind, asked.IsExtended, asked.IsStream)),
            Is.EquivalentTo(new[]
            {
                ("backend.example", RecordKind.Address4, true, false),
                ("backend.example", RecordKind.Address6, true, false),
            }));
    }

    [Test]
    public async Task Each_question_has_an_id_and_a_port_that_nobody_can_foresee()
    {
        using var rig = new ResolverRig();
        for (var round = 0; round < 16; round++)
            await rig.FindHostAsync("backend.example.");

        // 32 of 65536 and of some 28000 by chance: that many are the same once in a life of test runs.
        var asked = rig.Server.Asked;
        Assert.That(asked.Select(one => one.Id).Distinct().Count(), Is.GreaterThan(28));
        Assert.That(asked.Select(one => one.From).Distinct().Count(), Is.GreaterThan(24));
    }

    [Test]
    public async Task What_does_not_answer_the_question_is_not_taken_for_its_answer()
    {
        using var rig = new ResolverRig();
        rig.Server.FromStrangers = question => [question.Reply().WithAddress(question.Name, "10.6.6.6").ToArray()];
        rig.Server.Before = question =>
        [
            new ReplyBytes((ushort)(question.Id + 1), question.Name, question.Kind)
                .WithAddress(question.Name, "10.6.6.6").ToArray(),
            new ReplyBytes(question.Id, "other.example", question.Kind).WithAddress("other.example", "10.6.6.6")
                .ToArray(),
            [1, 2, 3],
        ];
        rig.Server.Answer = question => question.With("10.0.0.1");

        Assert.That(ResolverRig.AddressesOf(await rig.FindHostAsync("backend.example.")), Is.EqualTo("10.0.0.1"));
        Assert.That(rig.Server.Asked.Any(asked => asked.IsStream), Is.False);
    }

    [Test]
    public async Task Who_guesses_often_makes_us_ask_over_a_stream()
    {
        using var rig = new ResolverRig();
        rig.Server.Before = question => Enumerable.Range(1, Limits.StrayRepliesMax + 1).Select(guess
            => new ReplyBytes((ushort)(question.Id + guess), question.Name, question.Kind)
                .WithAddress(question.Name, "10.6.6.6").ToArray());
        rig.Server.Answer = question => question.IsStream ? question.With("10.0.0.1") : question.With("10.6.6.6");

        Assert.That(ResolverRig.AddressesOf(await rig.FindHostAsync("backend.example.")), Is.EqualTo("10.0.0.1"));
    }

    [Test]
    public async Task Half_an_answer_is_asked_for_again_over_a_stream()
    {
        using var rig = new ResolverRig();
        string[] many = [.. Enumerable.Range(0, 500).Select(index => $"10.0.{index >> 8}.{index & 255}")];
        rig.Server.Answer = question => question.IsStream
            ? question.With(many)
            : new(question.Id, question.Name, question.Kind) { Flags = 0x8380 };

        Assert.That(ResolverRig.AddressesOf(await rig.FindHostAsync("backend.example.")).Split(' '),
            Has.Length.EqualTo(500));
    }

    [Test]
    public async Task A_stream_that_ends_too_early_or_says_something_else_is_no_answer()
    {
        using var rig = new ResolverRig();
        rig.Server.Answer = question => question.IsStream
            ? question.With("10.0.0.1", "::1")
            : new(question.Id, question.Name, question.Kind) { Flags = 0x8380 };
        Func<byte[], byte[]>[] lies =
        [
            _ => [], whole => whole[..1], whole => whole[..^1], whole => [0xFF, 0xFF, .. whole[2..]],
            _ => [0, 0], whole => [.. whole[..2], (byte)~whole[2], .. whole[3..]],
            whole => [.. whole[..4], (byte)(whole[4] | 2), .. whole[5..]],
        ];
        foreach (var lie in lies)
        {
            rig.Server.OverStream = lie;

            var (four, six) = ResolverRig.OutcomesOf(await rig.FindHostAsync("backend.example."));
            Assert.That((four.IsFailure(), six.IsFailure()), Is.EqualTo((true, true)), $"{four} {six}");
        }
    }

    [TestCase(1)]
    [TestCase(4)]
    public async Task Who_does_not_know_extensions_is_asked_without(int code)
    {
        using var rig = new ResolverRig();
        rig.Server.Answer = question => question.IsExtended ? question.Reply(code) : question.With("10.0.0.1");

        Assert.That(ResolverRig.AddressesOf(await rig.FindHostAsync("backend.example.")), Is.EqualTo("10.0.0.1"));
    }

    [Test]
    public async Task Who_is_silent_is_waited_for_and_then_the_next_one_is_asked_and_asked_first_from_then_on()
    {
        using var rig = new ResolverRig();
        rig.Server.Answer = static _ => null;
        var second = rig.AddServer();
        second.Answer = question => question.With("10.0.0.1");

        var looking = rig.Resolver.FindHostAsync("backend.example.", rig.Rules, default);
        await Eventually.HoldsAsync(() => rig.Server.Asked.Length == 2, () => "both questions are there");
        rig.Clock.Advance(ResolverRig.Timeout - TimeSpan.FromMilliseconds(1));
        Assert.That(second.Asked, Is.Empty);
        rig.Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.That(ResolverRig.AddressesOf(await looking.InTime()), Is.EqualTo("10.0.0.1"));

        await rig.FindHostAsync("other.example.");
        Assert.That(rig.Server.Asked, Has.Length.EqualTo(2), "it is not asked again");
    }

    [Test]
    public async Task Who_cannot_be_reached_or_does_not_know_is_passed_over()
    {
        using var rig = new ResolverRig();
        rig.Server.Answer = static question => question.Reply(code: 2);
        rig.AddServer().Answer = static question => question.Reply(code: 5);
        rig.AddServer().Answer = static question
            => question.Reply().WithRaw([0xC0, 12], question.Kind, 5, [1, 2, 3]);
        rig.AddServer().Answer = static question => question.Reply().WithDelegation("example", "ns.example");
        rig.AddServer().Answer = static question => question.With("10.0.0.1", "::1");
        var closed = new IPEndPoint(IPAddress.Loopback, Closed());
        var rules = rig.Rules with { Servers = [closed, .. rig.Rules.Servers.Skip(1)] };

        var result = await rig.Resolver.FindHostAsync("backend.example.", rules, default).InTime();

        Assert.That(ResolverRig.AddressesOf(result), Is.EqualTo("10.0.0.1 ::1"));
    }

    [TestCase(2, LookUpOutcome.ServerFailed)]
    [TestCase(5, LookUpOutcome.Refused)]
    public async Task Who_does_not_know_either_is_asked_once(int code, LookUpOutcome expected)
    {
        using var rig = new ResolverRig();
        rig.Server.Answer = question => question.Reply(code);

        Assert.That(ResolverRig.OutcomesOf(await rig.FindHostAsync("backend.example.")),
            Is.EqualTo((expected, expected)));
        Assert.That(rig.Server.Asked, Has.Length.EqualTo(2));
    }

    [Test]
    public async Task Nobody_is_waited_for_longer_than_a_look_up_may_take()
    {
        using var rig = new ResolverRig();
        rig.Server.Answer = static _ => null;
        var rules = rig.Rules with { Timeout = TimeSpan.FromHours(1) };

        var looking = rig.Resolver.FindHostAsync("backend.example.", rules, default);
        await Eventually.HoldsAsync(() => rig.Server.Asked.Length == 2, () => "both questions are there");
        rig.Clock.Advance(Resolver.LookUpTimeMax);

        Assert.That((await looking.InTime()).Outcome, Is.EqualTo(LookUpOutcome.TimedOut));
    }

    [Test]
    public async Task One_family_may_fail_while_the_other_is_found()
    {
        using var rig = new ResolverRig();
        rig.Server.Answer = question
            => question.Kind == RecordKind.Address6 ? question.Reply(code: 2) : question.With("10.0.0.1");

        var result = await rig.FindHostAsync("backend.example.");

        Assert.That(ResolverRig.OutcomesOf(result), Is.EqualTo((LookUpOutcome.Found, LookUpOutcome.ServerFailed)));
    }

    [Test]
    public async Task Aliases_are_followed_over_several_answers_and_hold_as_long_as_the_shortest()
    {
        using var rig = new ResolverRig();
        rig.Server.Answer = question => question.Name switch
        {
            "a.example" => question.Reply().WithAlias("a.example", "b.example", 20),
            "b.example" => question.Reply().WithAlias("b.example", "c.example", 10),
            _ => question.With("10.0.0.1"),
        };

        var result = await rig.FindHostAsync("a.example.");

        Assert.That(result.Hosts.Single().Four.TimeToLive, Is.EqualTo(TimeSpan.FromSeconds(10)));
        Assert.That(ResolverRig.AddressesOf(result), Is.EqualTo("10.0.0.1"));
    }

    [Test]
    public async Task Aliases_without_end_are_given_up()
    {
        using var rig = new ResolverRig();
        rig.Server.Answer = question => question.Reply().WithAlias(question.Name, "x" + question.Name);

        Assert.That(ResolverRig.OutcomesOf(await rig.FindHostAsync("a.example.")),
            Is.EqualTo((LookUpOutcome.Malformed, LookUpOutcome.Malformed)));
        Assert.That(rig.Server.Asked, Has.Length.EqualTo(2 * (Limits.AliasesMax + 1)));
    }

    [TestCase("backend", "backend.one.example backend.two.example backend")]
    [TestCase("backend.a", "backend.a.one.example backend.a.two.example backend.a")]
    [TestCase("backend.a.b", "backend.a.b backend.a.b.one.example backend.a.b.two.example")]
    [TestCase("backend.", "backend")]
    public async Task Short_names_are_tried_with_what_the_system_puts_behind_them(string name, string expected)
    {
        using var rig = new ResolverRig("search one.example two.example\noptions ndots:2\n");

        Assert.That((await rig.FindHostAsync(name)).Outcome, Is.EqualTo(LookUpOutcome.NoSuchName));
        Assert.That(rig.Server.Asked.Where(asked => asked.Kind == RecordKind.Address4).Select(asked => asked.Name),
            Is.EqualTo(expected.Split(' ')));
    }

    [Test]
    public async Task The_first_name_of_which_anything_is_known_decides()
    {
        using var rig = new ResolverRig("search one.example two.example");
        rig.Server.Answer = question => question.Name == "backend.two.example"
            ? question.With("10.0.0.2")
            : question.Reply(code: 3);
        Assert.That(ResolverRig.AddressesOf(await rig.FindHostAsync("backend")), Is.EqualTo("10.0.0.2"));

        // What cannot be found out now may be another name with other backends.
        rig.Server.Answer = question => question.Name == "backend.two.example"
            ? question.With("10.0.0.2")
            : question.Reply(code: 2);
        Assert.That(ResolverRig.OutcomesOf(await rig.FindHostAsync("backend")),
            Is.EqualTo((LookUpOutcome.ServerFailed, LookUpOutcome.ServerFailed)));
    }

    [Test]
    public async Task Another_file_is_taken_up()
    {
        using var rig = new ResolverRig("search one.example");
        await rig.FindHostAsync("backend");
        rig.WriteFile("search two.example");
        rig.Clock.Advance(ResolvConfFile.FreshFor);
        await rig.FindHostAsync("backend");

        Assert.That(rig.Server.Asked.Where(asked => asked.Kind == RecordKind.Address4).Select(asked => asked.Name),
            Is.EqualTo(["backend.one.example", "backend", "backend.two.example", "backend"]));
    }

    [Test]
    public async Task Nothing_holds_as_long_as_the_zone_says()
    {
        using var rig = new ResolverRig();
        rig.Server.Answer = question => question.Reply().WithSilence(40, 7);

        var result = await rig.FindHostAsync("backend.example.");

        Assert.That((result.Outcome, result.TimeToLive),
            Is.EqualTo((LookUpOutcome.NoRecords, TimeSpan.FromSeconds(7))));
    }

    [Test]
    public async Task Who_wants_to_know_no_more_is_not_kept_waiting()
    {
        using var rig = new ResolverRig();
        using var stop = new CancellationTokenSource();
        rig.Server.Answer = static _ => null;

        var looking = rig.Resolver.FindHostAsync("backend.example.", rig.Rules, stop.Token);
        await Eventually.HoldsAsync(() => rig.Server.Asked.Length == 2, () => "both questions are there");
        await stop.CancelAsync();

        Assert.That(async () => await looking.InTime(), Throws.InstanceOf<OperationCanceledException>());
    }

    // A port of UDP that nobody listens on.
    private static int Closed()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
