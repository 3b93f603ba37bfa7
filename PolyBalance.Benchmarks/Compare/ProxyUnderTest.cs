using PolyBalance.Benchmarks.Compare.Figures;

namespace PolyBalance.Benchmarks.Compare;

/// <summary>One running proxy, with its process tree.</summary>
internal sealed class ProxyUnderTest : IAsyncDisposable
{
    private readonly ChildProgram _program;

    private ProxyUnderTest(ProxyKind kind, ProxyStart start, ChildProgram program, int port)
    {
        _program = program;
        Kind = kind;
        Version = start.Version;
        Port = port;
    }

    /// <summary>Which one it is.</summary>
    public ProxyKind Kind { get; }

    /// <summary>As tables write it.</summary>
    public string Name => Kind.Name;

    /// <summary>As the program itself says.</summary>
    public string Version { get; }

    /// <summary>Where it listens on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>Whether it has ended, which none should.</summary>
    public bool HasEnded => _program.HasEnded;

    /// <summary>What it printed last.</summary>
    public string LastLine => _program.LastLines is [.., var line] ? line : "(nothing printed)";

    /// <summary>CPU time so far.</summary>
    public CpuTimes Cpu => ProcessTree.CpuOf(_program.Id);

    /// <summary>Running time of its threads so far, exact. Unit: seconds.</summary>
    public double RunTime => ProcessTree.RunTimeOf(_program.Id);

    /// <summary>Resident memory. Unit: MiB.</summary>
    public double MemoryMib => ProcessTree.MemoryMibOf(_program.Id);

    /// <summary>A URL on it for a load generator.</summary>
    public string At(string path) => $"http://127.0.0.1:{Port}{path}";

    /// <summary>Starts a proxy on a free port and waits until it answers.</summary>
    /// <exception cref="LeftOutException">
    /// It is missing, it refused its configuration, or it does not answer.
    /// </exception>
    public static async Task<ProxyUnderTest> StartAsync(ProxyKind kind, Workbench workbench, CancellationToken stop)
    {
        var port = Workbench.FreePort();
        var folder = workbench.MakeFolder(kind.Key.Replace(' ', '-'));
        var start = await kind.PrepareAsync(workbench, folder, port, stop);
        var program = ChildProgram.Start(start.Program, start.Arguments);
        try
        {
            await Readiness.WaitAsync(program, port, stop);
        }
        catch (Exception problem)
        {
            await program.DisposeAsync();
            if (problem is not LeftOutException)
                throw;

            // A folder that is gone when somebody reads this.
            throw new LeftOutException(problem.Message.Replace(folder + "/", "", StringComparison.Ordinal));
        }

        return new(kind, start, program, port);
    }

    public ValueTask DisposeAsync() => _program.DisposeAsync();
}
