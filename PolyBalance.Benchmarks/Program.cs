using BenchmarkDotNet.Running;

namespace PolyBalance.Benchmarks;

/// <summary>Where the benchmark process begins: arguments in, exit code out.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(arguments);
        return 0;
    }
}
