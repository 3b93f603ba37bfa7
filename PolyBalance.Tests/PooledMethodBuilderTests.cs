using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;
using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests;

[Inline]
[SuppressMessage("Reliability", "CA2012", Justification = "Each result is taken by hand; that is the subject.")]
internal sealed class PooledMethodBuilderTests
{
    [Test]
    public void Many_calls_suspended_at_once_allocate_nothing()
    {
        // In a debug build each suspended call is an object of its own, whatever its builder does.
        var build = typeof(PooledMethodBuilderTests).Assembly.GetCustomAttribute<DebuggableAttribute>();
        if (build is { IsJITOptimizerDisabled: true })
            Assert.Ignore("Only an optimized build can be measured.");

        var gates = new Gate[64];
        for (var index = 0; index < gates.Length; index++)
            gates[index] = new();
        var calls = new ValueTask<int>[gates.Length];

        var wrong = Run(gates, calls, rounds: 200);
        var before = GC.GetAllocatedBytesForCurrentThread();
        wrong += Run(gates, calls, rounds: 200);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That((wrong, allocated), Is.EqualTo((0, 0L)));
    }

    [Test]
    public async Task A_call_that_never_suspends_has_its_result_at_once()
    {
        var call = AddAsync(default, default, 41, 1);

        Assert.That(call.IsCompletedSuccessfully, Is.True);
        Assert.That(await call, Is.EqualTo(42));
    }

    [Test]
    public async Task The_caller_is_resumed_on_the_thread_that_completes()
    {
        var gate = new Gate();
        var call = AddAsync(gate, default, 41, 1).AsTask();
        Assert.That(call.IsCompleted, Is.False);

        gate.Open();

        Assert.That(call.IsCompleted, Is.True);
        Assert.That(await call, Is.EqualTo(42));
    }

    [Test]
    public async Task Exceptions_reach_the_caller([Values] bool suspended)
    {
        var gate = suspended ? new Gate() : null;
        var call = FailAsync(gate, "first").AsTask();
        gate?.Open();
        var next = FailAsync(gate, "second").AsTask();
        gate?.Open();

        var one = await Assert.ThrowsAsync<InvalidOperationException>(() => call);
        var other = await Assert.ThrowsAsync<InvalidOperationException>(() => next);
        Assert.That((one?.Message, other?.Message), Is.EqualTo(("first", "second")));
    }

    [Test]
    public async Task A_call_that_suspends_twice_keeps_its_variables()
    {
        var (first, second) = (new Gate(), new Gate());
        var call = AddAsync(first, second, 20, 22).AsTask();
        first.Open();
        Assert.That(call.IsCompleted, Is.False);
        second.Open();

        Assert.That(await call, Is.EqualTo(42));
    }

    [Test]
    public void To_await_a_result_twice_is_an_error_that_harms_nobody_else()
    {
        var gate = new Gate();
        var call = AddAsync(gate, default, 1, 1);
        gate.Open();
        Assert.That(call.GetAwaiter().GetResult(), Is.EqualTo(2));

        Assert.Throws<InvalidOperationException>(() => call.GetAwaiter().GetResult());

        var (one, other) = (new Gate(), new Gate());
        var first = AddAsync(one, default, 10, 1);
        var second = AddAsync(other, default, 20, 2);
        other.Open();
        one.Open();
        Assert.That(first.GetAwaiter().GetResult(), Is.EqualTo(11));
        Assert.That(second.GetAwaiter().GetResult(), Is.EqualTo(22));
    }

    [Test]
    public async Task Calls_from_many_threads_do_not_mix()
    {
        var flows = new Task<int>[8];
        for (var flow = 0; flow < flows.Length; flow++)
        {
            var seed = flow;
            flows[flow] = Task.Run(async () =>
            {
                var wrong = 0;
                for (var round = 0; round < 5_000; round++)
                    wrong += await HopAsync(seed, round) == seed + round ? 0 : 1;
                return wrong;
            });
        }

        Assert.That(await Task.WhenAll(flows).InTime(), Is.All.Zero);
    }

    private static int Run(Gate[] gates, ValueTask<int>[] calls, int rounds)
    {
        var wrong = 0;
        for (var round = 0; round < rounds; round++)
        {
            for (var index = 0; index < gates.Length; index++)
                calls[index] = AddAsync(gates[index], default, index, round);
            for (var index = gates.Length - 1; index >= 0; index--)
                gates[index].Open();
            for (var index = 0; index < gates.Length; index++)
                wrong += calls[index].GetAwaiter().GetResult() == index + round ? 0 : 1;
        }

        return wrong;
    }

    [AsyncMethodBuilder(typeof(PooledMethodBuilder<>))]
    private static async ValueTask<int> AddAsync(Gate? first, Gate? second, int one, int other)
    {
        if (first is not null)
            await first.PassAsync();
        if (second is not null)
            await second.PassAsync();
        return one + other;
    }

    [AsyncMethodBuilder(typeof(PooledMethodBuilder<>))]
    private static async ValueTask<int> FailAsync(Gate? gate, string message)
    {
        if (gate is not null)
            await gate.PassAsync();
        throw new InvalidOperationException(message);
    }

    [AsyncMethodBuilder(typeof(PooledMethodBuilder<>))]
    private static async ValueTask<int> HopAsync(int one, int other)
    {
        await Task.Yield();
        return one + other;
    }

    /// <summary>Something to wait for that can be waited for again and again.</summary>
    private sealed class Gate : IValueTaskSource
    {
        private ManualResetValueTaskSourceCore<bool> _core;

        public ValueTask PassAsync() => new(this, _core.Version);

        public void Open() => _core.SetResult(true);

        public void GetResult(short token)
        {
            _core.GetResult(token);
            _core.Reset();
        }

        public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

        public void OnCompleted(
            Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
            => _core.OnCompleted(continuation, state, token, flags);
    }
}
