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
using System.Runtime.InteropServices;
using static Bullseye.Targets;

const string Configuration = "Release";
var runtime = $"linux-{RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant()}";

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

Target("publish", () => Dotnet(
    $"publish PolyBalance.Host -c {Configuration} -r {runtime} --self-contained -p:PublishSingleFile=true " +
    "-p:PublishTrimmed=true -p:PublishReadyToRun=true -p:PublishDocumentationFiles=false -o artifacts/publish"));

Target("default", dependsOn: ["build", "test"]);

await RunTargetsAndExitAsync(args, exception => exception is CommandFailedException);

void Dotnet(string arguments)
{
    Console.WriteLine($"dotnet {arguments}");
    using var process = Process.Start(new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = root })!;
    process.WaitForExit();
    if (process.ExitCode != 0)
        throw new CommandFailedException($"`dotnet {arguments}` ended with exit code {process.ExitCode}");
}

sealed class CommandFailedException(string message) : Exception(message);
