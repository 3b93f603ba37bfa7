using NUnit.Framework;
using NUnit.Framework.Interfaces;

namespace PolyBalance.Tests.Support;

/// <summary>
/// Runs tests as the executable runs: without the framework's synchronization context, which would move every
/// continuation to another thread. Then what a test sets off over memory has happened when its call returns.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
internal sealed class InlineAttribute : Attribute, ITestAction
{
    /// <inheritdoc/>
    public ActionTargets Targets => ActionTargets.Test;

    /// <inheritdoc/>
    public void BeforeTest(ITest test) => SynchronizationContext.SetSynchronizationContext(null);

    /// <inheritdoc/>
    public void AfterTest(ITest test)
    {
        // The framework gives the next test a context of its own.
    }
}
