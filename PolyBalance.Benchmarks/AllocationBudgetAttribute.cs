namespace PolyBalance.Benchmarks;

/// <summary>
/// How much one operation of a benchmark may allocate once it is warm. <c>AllocationTests</c> hold it to that.
/// </summary>
/// <param name="bytesPerOperation">Unit: bytes on the managed heap.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class AllocationBudgetAttribute(long bytesPerOperation) : Attribute
{
    /// <summary>Unit: bytes on the managed heap.</summary>
    public long BytesPerOperation { get; } = bytesPerOperation;

    /// <summary>
    /// Whether the operation runs on more threads than the one that calls it: then whatever the process allocates
    /// counts.
    /// </summary>
    public bool OnAllThreads { get; init; }
}
