using PolyBalance.Tests.Interop;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Documents;

/// <summary>
/// The machines of the documents, each a network namespace: the gateway, and web-1 to web-3 with a backend on port
/// 8080. So every address and every port is the one that is written, whatever else runs on this machine.
/// </summary>
/// <remarks>
/// Lines are typed in a folder on the machine of the gateway, with a copy of <c>deploy/</c> and a
/// <c>polybalance.yaml</c> that names web-1 and web-2. Three things are not as in the documents: <c>polybalance</c> is
/// a script that starts the executable under test, <c>editor</c> leaves its file as it is, and <c>curl</c> also fails
/// when the answer is an error, so that its exit code says so.
/// </remarks>
internal sealed class DocumentedNetwork : IAsyncDisposable
{
    private const string Gateway = "gateway";
    private const string OnlyReads = "polybalance check";
    private const string Configuration =
        """
        listeners:
          - bind: ":8000"
        clusters:
          web:
            backends:
              - { address: "10.0.0.11:8080", name: web-1 }
              - { address: "10.0.0.12:8080", name: web-2 }

        """;

    private static readonly (string Name, string Address)[] Backends =
        [("web-1", "10.0.0.11"), ("web-2", "10.0.0.12"), ("web-3", "10.0.0.13")];

    private readonly NetworkSegment _network;
    private readonly string _folder;
    private readonly List<RunningProgram> _running = [];

    private DocumentedNetwork(NetworkSegment network, string folder) => (_network, _folder) = (network, folder);

    /// <summary>Builds the network, and starts in it what these lines find there.</summary>
    /// <param name="lines">What will be typed: who starts a gateway finds none, and who asks none needs none.</param>
    public static async Task<DocumentedNetwork> StartAsync(IReadOnlyList<TypedLine> lines)
    {
        var asks = lines.Any(line => line.Programs.Contains("curl")
            || (line.Programs.Contains("polybalance") && !line.Text.EndsWith(OnlyReads, StringComparison.Ordinal)));
        var hasGateway = asks && !lines.Any(line => line.Text.EndsWith('&'));
        var backends = Backends
            .Where(backend => hasGateway && (IsConfigured(backend.Name) || IsNamed(backend.Address)))
            .ToList();
        var network = await NetworkSegment.StartAsync(
            [(Gateway, "10.0.0.5/24"), .. backends.Select(backend => (backend.Name, backend.Address + "/24"))]);
        var made = new DocumentedNetwork(network, Directory.CreateTempSubdirectory("polybalance-").FullName);
        try
        {
            await made.PrepareAsync();
            if (hasGateway)
                await made.StartProgramsAsync(backends);
            return made;
        }
        catch
        {
            await made.DisposeAsync();
            throw;
        }

        bool IsNamed(string address) => lines.Any(line => line.Text.Contains(address, StringComparison.Ordinal));
    }

    /// <summary>Types lines into a shell on the machine of the gateway, until one of them fails.</summary>
    /// <param name="lines">What is typed.</param>
    public async Task<ProgramResult> TypeAsync(IEnumerable<TypedLine> lines)
    {
        var script = Path.Combine(_folder, "typed.sh");
        await File.WriteAllTextAsync(script, ScriptOf(lines));
        await using var shell = _network.Start(
            Gateway, "/usr/bin/env", "-C", _folder, $"CURL_HOME={_folder}",
            $"PATH={Path.Combine(_folder, "bin")}:{Environment.GetEnvironmentVariable("PATH")}", "bash", script);
        return await shell.EndAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var program in _running)
            await program.DisposeAsync();
        await _network.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static bool IsConfigured(string name) => Configuration.Contains(name, StringComparison.Ordinal);

    // As in a terminal, where `%1` is the first job; and every line has to end with 0.
    private static string ScriptOf(IEnumerable<TypedLine> lines)
        => "set -m -u -o pipefail\n"
            + string.Concat(lines.Select(line =>
                $$"""
                {{line.Text}}
                code=$?; [ $code -eq 0 ] || { echo "{{line.Place}} ended with $code" >&2; exit 1; }

                """))
            + "wait\n";

    private async Task PrepareAsync()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "polybalance.yaml"), Configuration);
        await File.WriteAllTextAsync(Path.Combine(_folder, ".curlrc"), "fail\nshow-error\n");
        foreach (var path in Repository.Files("deploy", "*"))
        {
            var copy = Path.Combine(_folder, Repository.Relative(path));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(path, copy);
        }

        var command = string.Join(' ', Executable.Command.Select(part => $"'{part}'"));
        await AddProgramAsync("polybalance", $"exec {command} \"$@\"");
        await AddProgramAsync("editor", "test -n \"$1\"");
    }

    private async Task AddProgramAsync(string name, string what)
    {
        var path = Path.Combine(_folder, "bin", name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllTextAsync(path, $"#!/bin/sh\n{what}\n");
#pragma warning disable CA1416 // Network namespaces are a matter of Linux; nothing gets here without them.
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
#pragma warning restore CA1416
    }

    private async Task StartProgramsAsync(IEnumerable<(string Name, string Address)> backends)
    {
        var started = backends
            .Select(backend => (backend.Address, Program: Start(
                backend.Name, "backend", "--bind", backend.Address, "--port", "8080", "--name", backend.Name)))
            .ToList();
        foreach (var (address, program) in started)
            await program.ErrorLineAsync(address);
        await Start(Gateway, "run", "--config", Path.Combine(_folder, "polybalance.yaml")).ErrorLineAsync("Ready");
    }

    private RunningProgram Start(string machine, params string[] arguments)
    {
        var program = _network.Start(machine, Executable.Command[0], [.. Executable.Command[1..], .. arguments]);
        _running.Add(program);
        return program;
    }
}
