#!/usr/bin/env pwsh
# Every target also works alone; `dotnet run --file .build/targets.cs -- --list-targets` names them.
dotnet run --file "$PSScriptRoot/.build/targets.cs" -- @args
exit $LASTEXITCODE
