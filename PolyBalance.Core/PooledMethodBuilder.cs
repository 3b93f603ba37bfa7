using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace PolyBalance;

/// <summary>
/// Builds async methods of the data path without allocating: the state of a suspended call lives in a pooled box. Name
/// it in <see cref="AsyncMethodBuilderAttribute"/> on a method that returns <see cref="ValueTask{TResult}"/>.
/// </summary>
/// <remarks>
/// The framework's own <c>PoolingAsyncValueTaskMethodBuilder</c> keeps one box per core and thread; with many calls
/// suspended at once it allocates nearly every time. The pools here are the one exception to "nothing static is
/// mutable" (decision "Pooled state machines"). The result must be awaited exactly once. No execution context is
/// captured: nothing on the data path uses <c>AsyncLocal</c>.
/// </remarks>
[SuppressMessage(
    "Performance", "CA1822", Justification = "The compiler calls the builder's members on an instance.")]
internal struct PooledMethodBuilder<TResult>
{
    private PooledBox<TResult>? _box;
    private TResult _result;

    /// <summary>What the caller of the async method gets.</summary>
    public readonly ValueTask<TResult> Task => _box is null ? new(_result) : new(_box, _box.Version);

    /// <summary>Called by the compiler: a new call begins.</summary>
    public static PooledMethodBuilder<TResult> Create() => default;

    /// <summary>Called by the compiler: runs the method to its first suspension.</summary>
    public readonly void Start<TStateMachine>(ref TStateMachine stateMachine)
        where TStateMachine : IAsyncStateMachine
        => stateMachine.MoveNext();

    /// <summary>Part of the builder pattern; never used by value-type state machines.</summary>
    public readonly void SetStateMachine(IAsyncStateMachine stateMachine) => _ = stateMachine;

    /// <summary>Called by the compiler: the method returned.</summary>
    public void SetResult(TResult result)
    {
        if (_box is null)
            _result = result;
        else
            _box.SetResult(result);
    }

    /// <summary>Called by the compiler: the method threw. On the data path that is a bug.</summary>
    public void SetException(Exception exception)
    {
        _box ??= new FaultedBox<TResult>();
        _box.SetException(exception);
    }

    /// <summary>Called by the compiler: the method suspends on an awaiter.</summary>
    public void AwaitOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : INotifyCompletion
        where TStateMachine : IAsyncStateMachine
        => awaiter.OnCompleted(Suspend(ref stateMachine));

    /// <summary>Called by the compiler: the method suspends on an awaiter.</summary>
    public void AwaitUnsafeOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : ICriticalNotifyCompletion
        where TStateMachine : IAsyncStateMachine
        => awaiter.UnsafeOnCompleted(Suspend(ref stateMachine));

    private Action Suspend<TStateMachine>(ref TStateMachine stateMachine)
        where TStateMachine : IAsyncStateMachine
    {
        if (_box is null)
        {
            var box = PooledBox<TStateMachine, TResult>.Rent();
            // The builder lives inside the state machine: it has to know its box before the state machine is copied.
            _box = box;
            box.Adopt(ref stateMachine);
        }

        return _box.MoveNextAction;
    }
}

/// <summary>What a suspended call is awaited through.</summary>
internal abstract class PooledBox<TResult> : IValueTaskSource<TResult>
{
    private ManualResetValueTaskSourceCore<TResult> _core;

    protected PooledBox(Action? moveNext) => MoveNextAction = moveNext ?? (static () => { });

    /// <summary>Goes on with the suspended method.</summary>
    public Action MoveNextAction { get; protected init; }

    /// <summary>Tells one use of this box from the next.</summary>
    public short Version => _core.Version;

    /// <summary>Wakes whoever awaits the call.</summary>
    public void SetResult(TResult result) => _core.SetResult(result);

    /// <summary>Wakes whoever awaits the call, with an exception.</summary>
    public void SetException(Exception exception) => _core.SetException(exception);

    /// <inheritdoc/>
    public TResult GetResult(short token)
    {
        // Throws when the result was taken before. By now the box may belong to another call, which must not notice.
        _ = _core.GetStatus(token);
        try
        {
            return _core.GetResult(token);
        }
        finally
        {
            _core.Reset();
            Recycle();
        }
    }

    /// <inheritdoc/>
    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    /// <inheritdoc/>
    public void OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _core.OnCompleted(continuation, state, token, Inline.Of(flags));

    /// <summary>The call is over and its result was taken.</summary>
    protected abstract void Recycle();
}

/// <summary>Carries the exception of a call that never suspended.</summary>
internal sealed class FaultedBox<TResult>() : PooledBox<TResult>(null)
{
    /// <inheritdoc/>
    protected override void Recycle()
    {
    }
}

/// <summary>
/// Holds the state machine of one suspended call, and is reused for the next call of the same method.
/// </summary>
internal sealed class PooledBox<TStateMachine, TResult> : PooledBox<TResult>
    where TStateMachine : IAsyncStateMachine
{
    private static readonly LanePool<PooledBox<TStateMachine, TResult>> Pool =
        new(static () => new(), static _ => true, Limits.SuspendedCallsKept);

    private TStateMachine? _stateMachine;

    private PooledBox()
        : base(null)
        => MoveNextAction = MoveNext;

    /// <summary>A box that no call uses.</summary>
    public static PooledBox<TStateMachine, TResult> Rent() => Pool.Get();

    /// <summary>Moves a state machine off the stack, at its first suspension.</summary>
    public void Adopt(ref TStateMachine stateMachine) => _stateMachine = stateMachine;

    /// <inheritdoc/>
    protected override void Recycle()
    {
        _stateMachine = default;
        Pool.Return(this);
    }

    private void MoveNext() => _stateMachine!.MoveNext();
}
