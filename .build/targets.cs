#!/usr/bin/env dotnet
// The build's targets by name: `dotnet run --file .build/targets.cs -- test`, or `./build.ps1 test`. Without a name:
// build and test. Each target runs commands that also work alone; they are printed before they run. Outside the
// solution on purpose, so that build, tests and CI never depend on this file or on its one package.
#:package Bullseye@6.1.0
#:property PublishAot=false
#:property ManagePackageVersionsCentrally=false
#:property GenerateDocumentationFile=false
#:property EnforceCodeStyleInBuild=false

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using static Bullseye.Targets;

const string Configuration = "Release";

// Set by `dotnet run` for file-based apps: the folder of this file, whatever the working directory is.
var root = Path.GetDirectoryName((string)AppContext.GetData("EntryPointFileDirectoryPath")!)!;

Target("restore", () => Dotnet("restore"));

Target("build", dependsOn: ["restore"], () => Dotnet($"build -c {Configuration} --no-restore"));

Target("format", dependsOn: ["restore"], () =>
{
    Dotnet("format whitespace --verify-no-changes --no-restore");
    Dotnet("format style --verify-no-changes --no-restore");
});

Target("test", dependsOn: ["build"], () => Dotnet($"test -c {Configuration} --no-build"));

Target("bench", dependsOn: ["build"], () =>
    Dotnet($"run -c {Configuration} --no-build --project PolyBalance.Benchmarks -- --filter *"));

Target("compare", dependsOn: ["build"], () =>
    Dotnet($"run -c {Configuration} --no-build --project PolyBalance.Benchmarks -- compare"));

// Twice, from clean copies of what is committed: two files that differ by a byte are an error.
Target("publish", () => Run("bash", ".build/publish"));

Target("package", dependsOn: ["publish"], () =>
    Run("bash", "deploy/debian/build.sh artifacts/publish/polybalance artifacts"));

// The ports of the example configuration: listener, admin listener, two backends.
Target("check-ports", () =>
{
    foreach (var port in (int[])[8000, 8081, 9001, 9002])
        Console.WriteLine($"{port}  {(IsFree(port) ? "free" : "taken: `ss -ltnp` says by whom")}");
});

Target("run-backends", dependsOn: ["build"], () => Task.WaitAll(
    from number in Enumerable.Range(1, 2)
    select Task.Run(() => Dotnet(
        $"run -c {Configuration} --no-build --project PolyBalance.Host -- backend --port 900{number} --name b{number}"))));

Target("default", dependsOn: ["build", "test"]);

await RunTargetsAndExitAsync(args, exception => exception is CommandFailedException);

void Dotnet(string arguments) => Run("dotnet", arguments);

void Run(string program, string arguments)
{
    Console.WriteLine($"{program} {arguments}");
    using var process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = root })!;
    process.WaitForExit();
    if (process.ExitCode != 0)
        throw new CommandFailedException($"`{program} {arguments}` ended with exit code {process.ExitCode}");
}

static bool IsFree(int port)
{
    try
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
        return true;
    }
    catch (SocketException)
    {
        return false;
    }
}

sealed class CommandFailedException(string message) : Exception(message);
