using System.Text;
using PolyBalance.Host;

namespace PolyBalance.Tests.Host;

/// <summary>Runs one command line inside the test, with surroundings of its own, and keeps what it printed.</summary>
internal sealed class CommandLineRun : IDisposable
{
    private readonly Dictionary<string, string> _variables = new(StringComparer.Ordinal);
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();
    private string _input = "";

    /// <summary>A folder that exists for this run only; relative file names start there.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("polybalance-").FullName;

    /// <summary>What was printed as result.</summary>
    public string Output => _output.ToString();

    /// <summary>What was printed as complaint, line by line.</summary>
    public string[] Errors => _error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>What a command line prints that ends with 0 and complains of nothing.</summary>
    public static async Task<string> OutputOfAsync(params string[] arguments)
    {
        using var run = new CommandLineRun();
        var code = await run.RunAsync(arguments);
        return code == 0 && run.Errors.Length == 0
            ? run.Output
            : throw new InvalidOperationException($"{code}: {string.Join('\n', run.Errors)}");
    }

    public CommandLineRun File(string name, string text)
    {
        System.IO.File.WriteAllText(Path.Combine(Folder, name), text);
        return this;
    }

    public CommandLineRun Variable(string name, string value)
    {
        _variables[name] = value;
        return this;
    }

    public CommandLineRun Input(string text)
    {
        _input = text;
        return this;
    }

    public Task<int> RunAsync(params string[] arguments) => CommandLine.RunAsync(arguments, Surroundings);

    public Surroundings Surroundings => new()
    {
        Output = _output,
        Error = _error,
        OpenInput = () => new MemoryStream(Encoding.UTF8.GetBytes(_input)),
        Variable = name => _variables.GetValueOrDefault(name),
        Folder = Folder,
    };

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
