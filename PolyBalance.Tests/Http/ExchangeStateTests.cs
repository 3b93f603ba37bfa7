using System.Text;
using NUnit.Framework;
using PolyBalance.Http;

namespace PolyBalance.Tests.Http;

internal sealed class ExchangeStateTests
{
    private static readonly BodyFraming SomeLength = new(BodyKind.Length, 5);
    private static readonly BodyFraming UntilClose = new(BodyKind.UntilClose);

    private delegate void Change(ref ExchangeState state);

    // How the client's side gets to each state, in the order of the enum.
    private static readonly (ExchangeProgress Progress, Change[] Path)[] Paths =
    [
        (ExchangeProgress.Idle, []),
        (ExchangeProgress.RequestBody, [RequestHead]),
        (ExchangeProgress.AwaitingResponse, [RequestHead, RequestEnd]),
        (ExchangeProgress.BothBodies, [RequestHead, ResponseHead]),
        (ExchangeProgress.RequestLeftOver, [RequestHead, ResponseHead, ResponseEnd]),
        (ExchangeProgress.ResponseBody, [RequestHead, RequestEnd, ResponseHead]),
        (ExchangeProgress.Complete, [RequestHead, RequestEnd, ResponseHead, ResponseEnd]),
        (ExchangeProgress.Tunnel, [RequestHead, RequestEnd, Switch]),
        (ExchangeProgress.Closed, [RequestHead, RequestEnd, Attempt, Close]),
    ];

    private static readonly (string Name, Change Change)[] Events =
    [
        ("request head", RequestHead),
        ("request end", RequestEnd),
        ("interim", Interim),
        ("response head", ResponseHead),
        ("response end", ResponseEnd),
        ("switch", Switch),
        ("close", Close),
    ];

    /// <summary>Every state meets every event. `bug` is an exception.</summary>
    [Test]
    public void The_table_of_the_clients_side_is_complete()
    {
        const string Table = """
            Idle: RequestBody, bug, bug, BothBodies, bug, bug, Closed
            RequestBody: bug, AwaitingResponse, RequestBody, BothBodies, bug, bug, Closed
            AwaitingResponse: bug, bug, AwaitingResponse, ResponseBody, bug, Tunnel, Closed
            BothBodies: bug, ResponseBody, bug, bug, RequestLeftOver, bug, Closed
            RequestLeftOver: bug, Complete, bug, bug, bug, bug, Closed
            ResponseBody: bug, bug, bug, bug, Complete, bug, Closed
            Complete: bug, bug, bug, bug, bug, bug, Closed
            Tunnel: bug, bug, bug, bug, bug, bug, Closed
            Closed: Closed, Closed, Closed, Closed, Closed, Closed, Closed
            """;

        var actual = new StringBuilder();
        foreach (var (progress, path) in Paths)
        {
            Assert.That(After(path).Client, Is.EqualTo(progress));
            actual.Append(progress).Append(": ").AppendJoin(", ", Events.Select(next => Meet(path, next.Change)));
            actual.Append('\n');
        }

        Assert.That(Paths, Has.Length.EqualTo(Enum.GetValues<ExchangeProgress>().Length));
        Assert.That(actual.ToString().Trim(), Is.EqualTo(Table));
    }

    [Test]
    public void An_ordinary_exchange_leaves_both_connections_to_the_next_one()
    {
        var state = default(ExchangeState);
        Send(ref state);
        Answer(ref state, SomeLength);

        Assert.That(state.CanReuseClient, Is.True);
        Assert.That(state.CanReuseBackend, Is.True);
        Assert.That(state.CanRefuse, Is.False);
        Assert.That(state.MustAbortClient, Is.False);
    }

    [TestCase(true, false, false, ExpectedResult = false, TestName = "a client that persists is kept")]
    [TestCase(false, false, false, ExpectedResult = true, TestName = "a client that asked to close is closed")]
    [TestCase(true, true, false, ExpectedResult = true, TestName = "a draining process closes")]
    [TestCase(true, false, true, ExpectedResult = true, TestName = "a body until close closes")]
    public bool Whether_the_response_says_close(bool keepAlive, bool isDraining, bool untilClose)
    {
        var state = default(ExchangeState);
        state.RequestHeadReceived(keepAlive);
        state.RequestReceived();
        return state.MustCloseClient(untilClose ? UntilClose : SomeLength, isDraining);
    }

    [Test]
    public void A_response_that_says_close_ends_the_clients_connection()
    {
        var state = default(ExchangeState);
        Send(ref state);
        state.ResponseHeadReceived(keepAlive: true, SomeLength);
        state.ResponseHeadSent(close: true);
        state.ResponseReceived();
        state.ResponseSent();

        Assert.That(state.CanReuseClient, Is.False);
        Assert.That(state.CanReuseBackend, Is.True);
    }

    [Test]
    public void An_early_final_response_closes_both_connections()
    {
        var state = default(ExchangeState);
        state.RequestHeadReceived(keepAlive: true);
        state.AttemptStarted();
        state.RequestHeadSent();
        state.ResponseHeadReceived(keepAlive: true, SomeLength);

        Assert.That(state.MustCloseClient(SomeLength, isDraining: false), Is.True);
        Assert.That(state.IsRequestRead, Is.False);

        state.ResponseHeadSent(close: true);
        state.ResponseReceived();
        state.ResponseSent();

        Assert.That(state.Client, Is.EqualTo(ExchangeProgress.RequestLeftOver));
        Assert.That(state.CanReuseClient, Is.False);
        Assert.That(state.CanReuseBackend, Is.False);
    }

    [Test]
    public void A_backend_that_answered_early_is_reused_once_it_has_the_whole_request()
    {
        var state = default(ExchangeState);
        state.RequestHeadReceived(keepAlive: true);
        state.AttemptStarted();
        state.RequestHeadSent();
        state.ResponseHeadReceived(keepAlive: true, SomeLength);
        state.ResponseReceived();
        state.RequestReceived();
        Assert.That(state.CanReuseBackend, Is.False);

        state.RequestSent();
        Assert.That(state.CanReuseBackend, Is.True);
    }

    [Test]
    public void A_head_that_could_not_be_understood_is_answered_and_closes()
    {
        var state = default(ExchangeState);
        Assert.That(state.CanRefuse, Is.True);
        Assert.That(state.MustCloseClient(SomeLength, isDraining: false), Is.True);

        state.ResponseHeadSent(close: true);
        state.ResponseSent();

        Assert.That(state.CanReuseClient, Is.False);
        Assert.That(state.IsRequestRead, Is.False);
    }

    [TestCase(false, false)]
    [TestCase(true, true)]
    public void A_backend_that_does_not_persist_is_not_reused(bool keepAlive, bool untilClose)
    {
        var state = default(ExchangeState);
        Send(ref state);
        state.ResponseHeadReceived(keepAlive, untilClose ? UntilClose : SomeLength);
        state.ResponseHeadSent(close: false);
        state.ResponseReceived();
        state.ResponseSent();

        Assert.That(state.CanReuseBackend, Is.False);
        Assert.That(state.CanReuseClient, Is.True);
    }

    [Test]
    public void A_truncated_response_cannot_be_ended_only_aborted()
    {
        var state = default(ExchangeState);
        Send(ref state);
        state.ResponseHeadReceived(keepAlive: true, SomeLength);
        state.ResponseHeadSent(close: false);
        state.BackendClosed();

        Assert.That(state.MustAbortClient, Is.True);
        Assert.That(state.CanRefuse, Is.False);
        Assert.That(() => state.ResponseSent(), Throws.InvalidOperationException);

        state.ClientClosed();
        Assert.That(() => state.ResponseSent(), Throws.Nothing);
        Assert.That(state.CanReuseClient, Is.False);
    }

    [Test]
    public void A_response_that_ended_with_its_connection_can_be_ended()
    {
        var state = default(ExchangeState);
        Send(ref state);
        state.ResponseHeadReceived(keepAlive: false, UntilClose);
        state.ResponseHeadSent(close: false);
        state.ResponseReceived();
        state.BackendClosed();
        state.ResponseSent();

        Assert.That(state.CanReuseClient, Is.True);
    }

    [Test]
    public void A_request_cannot_end_at_the_backend_before_it_ends_at_the_client()
    {
        var state = default(ExchangeState);
        state.RequestHeadReceived(keepAlive: true);
        state.AttemptStarted();
        state.RequestHeadSent();

        Assert.That(() => state.RequestSent(), Throws.InvalidOperationException);
    }

    [Test]
    public void A_local_response_after_a_lost_backend_keeps_the_client()
    {
        var state = default(ExchangeState);
        Send(ref state);
        state.BackendClosed();
        Assert.That(state.CanRefuse, Is.True);
        Assert.That(state.MustCloseClient(SomeLength, isDraining: false), Is.False);

        state.ResponseHeadSent(close: false);
        state.ResponseSent();

        Assert.That(state.CanReuseClient, Is.True);
        Assert.That(state.CanReuseBackend, Is.False);
    }

    [Test]
    public void Another_attempt_begins_with_nothing_of_the_one_before()
    {
        var state = default(ExchangeState);
        Send(ref state);
        state.ResponseHeadReceived(keepAlive: true, SomeLength);
        state.ResponseReceived();

        state.AttemptStarted();

        Assert.That(state.Backend, Is.EqualTo(ExchangeProgress.Idle));
        Assert.That(state.CanReuseBackend, Is.False);
    }

    [Test]
    public void No_attempt_starts_without_a_request_or_after_the_response_began()
    {
        Assert.That(
            () =>
            {
                var state = default(ExchangeState);
                state.AttemptStarted();
            },
            Throws.InvalidOperationException);
        Assert.That(
            () =>
            {
                var state = After(RequestHead, RequestEnd, ResponseHead);
                state.AttemptStarted();
            },
            Throws.InvalidOperationException);
    }

    [Test]
    public void Interim_responses_leave_a_local_response_possible_and_are_bounded()
    {
        var state = default(ExchangeState);
        Send(ref state);
        for (var i = 0; i < Limits.InterimResponsesMax; i++)
            Assert.That(state.InterimReceived(), Is.True);
        state.InterimSent();

        Assert.That(state.CanRefuse, Is.True);
        Assert.That(state.InterimReceived(), Is.False);

        state.AttemptStarted();
        state.RequestHeadSent();
        Assert.That(state.InterimReceived(), Is.True, "another attempt counts anew");
    }

    [Test]
    public void A_response_to_nothing_is_a_bug()
    {
        var state = default(ExchangeState);
        state.RequestHeadReceived(keepAlive: true);
        state.AttemptStarted();

        Assert.That(() => state.ResponseHeadReceived(keepAlive: true, SomeLength), Throws.InvalidOperationException);
    }

    [Test]
    public void A_tunnel_never_carries_another_exchange()
    {
        var state = default(ExchangeState);
        Send(ref state);
        state.Switched();

        Assert.That(state.Client, Is.EqualTo(ExchangeProgress.Tunnel));
        Assert.That(state.Backend, Is.EqualTo(ExchangeProgress.Tunnel));
        Assert.That(state.CanReuseClient, Is.False);
        Assert.That(state.CanReuseBackend, Is.False);
        Assert.That(state.CanRefuse, Is.False);
    }

    [Test]
    public void A_client_that_left_can_be_told_nothing_while_its_backend_may_finish()
    {
        var state = default(ExchangeState);
        Send(ref state);
        state.ResponseHeadReceived(keepAlive: true, SomeLength);
        state.ResponseHeadSent(close: false);
        state.ClientClosed();
        Assert.That(state.CanRefuse, Is.False);
        Assert.That(state.MustAbortClient, Is.False);

        state.ResponseReceived();
        Assert.That(state.CanReuseBackend, Is.True);
        Assert.That(state.CanReuseClient, Is.False);
    }

    private static void Send(ref ExchangeState state)
    {
        state.RequestHeadReceived(keepAlive: true);
        state.RequestReceived();
        Attempt(ref state);
    }

    private static void Answer(ref ExchangeState state, BodyFraming framing)
    {
        state.ResponseHeadReceived(keepAlive: true, framing);
        state.ResponseHeadSent(state.MustCloseClient(framing, isDraining: false));
        state.ResponseReceived();
        state.ResponseSent();
    }

    private static ExchangeState After(params Change[] path)
    {
        var state = default(ExchangeState);
        foreach (var change in path)
            change(ref state);
        return state;
    }

    private static string Meet(Change[] path, Change next)
    {
        var state = After(path);
        try
        {
            next(ref state);
            return state.Client.ToString();
        }
        catch (InvalidOperationException)
        {
            return "bug";
        }
    }

    private static void RequestHead(ref ExchangeState state) => state.RequestHeadReceived(keepAlive: true);

    private static void RequestEnd(ref ExchangeState state) => state.RequestReceived();

    private static void Interim(ref ExchangeState state) => state.InterimSent();

    private static void ResponseHead(ref ExchangeState state) => state.ResponseHeadSent(close: false);

    private static void ResponseEnd(ref ExchangeState state) => state.ResponseSent();

    private static void Attempt(ref ExchangeState state)
    {
        state.AttemptStarted();
        state.RequestHeadSent();
        state.RequestSent();
    }

    // A switch happens on both connections at once, so the backend's has to be ready for it.
    private static void Switch(ref ExchangeState state)
    {
        if (state.Client == ExchangeProgress.AwaitingResponse)
            Attempt(ref state);

        state.Switched();
    }

    private static void Close(ref ExchangeState state) => state.ClientClosed();
}
