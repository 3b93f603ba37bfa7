using System.Reflection;
using BenchmarkDotNet.Running;

namespace PolyBalance.Benchmarks;

/// <summary>What one benchmark allocates when it is warm.</summary>
/// <param name="Benchmark">
/// Class and method, without the namespace of the project: <c>Http.ChunkedBenchmarks.Decode</c>.
/// </param>
/// <param name="Parameters">What it ran with; empty when it has none.</param>
/// <param name="Operations">How many operations were measured.</param>
/// <param name="Bytes">What they allocated together.</param>
/// <param name="Budget">What one operation may allocate. Unit: bytes.</param>
internal sealed record Allocation(string Benchmark, string Parameters, long Operations, long Bytes, long Budget);

/// <summary>
/// Runs the benchmarks that have an <see cref="AllocationBudgetAttribute"/>, and counts bytes instead of time.
/// </summary>
/// <remarks>
/// Bytes are the same on a laptop and in CI, busy or not. What runs on one thread is counted on that thread, exactly.
/// What runs on several is counted for the whole process, where the runtime itself now and then allocates something:
/// the best of some rounds counts then.
/// </remarks>
internal static class AllocationRun
{
    private const int WarmUpInvocations = 2_000;
    private const int Invocations = 2_000;
    private const int Rounds = 5;

    /// <summary>Measures every benchmark with a budget whose name contains <paramref name="filter"/>.</summary>
    public static IEnumerable<Allocation> Run(string filter)
        => from type in typeof(AllocationRun).Assembly.GetExportedTypes()
           orderby type.FullName
           where type.GetMethods().Any(method => method.IsDefined(typeof(AllocationBudgetAttribute)))
           from benchmark in BenchmarkConverter.TypeToBenchmarks(type).BenchmarksCases
           let budget = benchmark.Descriptor.WorkloadMethod.GetCustomAttribute<AllocationBudgetAttribute>()
           where budget is not null && NameOf(benchmark).Contains(filter, StringComparison.OrdinalIgnoreCase)
           select Measure(benchmark, budget);

    private static string NameOf(BenchmarkCase benchmark)
        => $"{benchmark.Descriptor.Type.FullName![(typeof(AllocationRun).Namespace!.Length + 1)..]}."
            + benchmark.Descriptor.WorkloadMethod.Name;

    private static Allocation Measure(BenchmarkCase benchmark, AllocationBudgetAttribute budget)
    {
        var descriptor = benchmark.Descriptor;
        var instance = Activator.CreateInstance(descriptor.Type)!;
        foreach (var parameter in benchmark.Parameters.Items)
            descriptor.Type.GetProperty(parameter.Name)!.SetValue(instance, parameter.Value);

        Call(descriptor.GlobalSetupMethod, instance);
        var invocations = Math.Max(1, Invocations / descriptor.OperationsPerInvoke);
        var body = BodyOf(instance, descriptor.WorkloadMethod);
        Repeat(body, Math.Max(1, WarmUpInvocations / descriptor.OperationsPerInvoke));
        var bytes = budget.OnAllThreads ? CountEverywhere(body, invocations) : CountHere(body, invocations);
        Call(descriptor.GlobalCleanupMethod, instance);

        var operations = (long)invocations * descriptor.OperationsPerInvoke;
        return new(
            NameOf(benchmark), benchmark.Parameters.DisplayInfo, operations, bytes, budget.BytesPerOperation);
    }

    private static long CountHere(Action body, int invocations)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        Repeat(body, invocations);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static long CountEverywhere(Action body, int invocations)
    {
        var least = long.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            Repeat(body, invocations);
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        return least;
    }

    private static void Repeat(Action body, int count)
    {
        for (var i = 0; i < count; i++)
            body();
    }

    private static void Call(MethodInfo? method, object instance)
        => (method?.Invoke(instance, null) as Task)?.GetAwaiter().GetResult();

    // A delegate, because a call by reflection allocates itself.
    private static Action BodyOf(object instance, MethodInfo method)
        => (Action)typeof(AllocationRun).GetMethod(nameof(Discarding), BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(method.ReturnType).Invoke(null, [instance, method])!;

    private static Action Discarding<T>(object instance, MethodInfo method)
    {
        var body = method.CreateDelegate<Func<T>>(instance);
        return () => _ = body();
    }
}
