namespace PolyBalance.Host.Telemetry;

/// <summary>What became of an attempt to open the log's file again.</summary>
/// <param name="IsReopened">Whether lines go to another file now.</param>
/// <param name="Problem">Why not, when it was tried in vain for the first time.</param>
internal readonly record struct AccessReopening(bool IsReopened, string? Problem);

/// <summary>
/// Where the lines of the access log go: standard output, or a file that others may move away or empty.
/// </summary>
/// <remarks>Used by the writer thread of the access log only.</remarks>
internal sealed class AccessOutput : IDisposable
{
    private readonly string? _path;
    private Stream _stream;
    private string? _place;
    private bool _hasFailedToReopen;

    /// <summary>Writes to a stream that is never opened again.</summary>
    /// <param name="stream">Disposed with the output.</param>
    /// <param name="name">What messages call it.</param>
    public AccessOutput(Stream stream, string name) => (_stream, Name) = (stream, name);

    private AccessOutput(string path)
    {
        (_path, Name) = (path, path);
        _stream = Open(path);
        _place = Place();
    }

    /// <summary>What messages call it: the path, or <c>stdout</c>.</summary>
    public string Name { get; }

    /// <summary>The process's standard output. A reader that is gone costs the lines, nothing else.</summary>
    public static AccessOutput ToStandardOutput() => new(Console.OpenStandardOutput(), "stdout");

    /// <summary>A file that lines are appended to; made when it is missing.</summary>
    /// <param name="path">Of a file, a named pipe or a device.</param>
    /// <exception cref="IOException">It cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">It is a folder, or access is denied.</exception>
    public static AccessOutput ToFile(string path) => new(path);

    /// <summary>Appends bytes.</summary>
    /// <param name="lines">Whole lines.</param>
    /// <exception cref="IOException">The disk is full, or whoever reads is gone.</exception>
    public void Write(ReadOnlySpan<byte> lines)
    {
        // The end is looked up each time: whoever rotates by copying has cut the file to nothing meanwhile.
        if (_path is not null && _stream.CanSeek)
            _stream.Seek(0, SeekOrigin.End);
        _stream.Write(lines);
        _stream.Flush();
    }

    /// <summary>Opens the path again when the open file does not live there any more: renamed, or deleted.</summary>
    public AccessReopening ReopenIfMoved() => _place is null || Place() == _place ? default : Reopen();

    /// <summary>Opens the path again. When that fails, the old file stays in use.</summary>
    public AccessReopening Reopen()
    {
        if (_path is null)
            return default;

        try
        {
            var old = _stream;
            _stream = Open(_path);
            _place = Place();
            old.Dispose();
            _hasFailedToReopen = false;
            return new(true, null);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // Tried again before each batch, but said once.
            var isNews = !_hasFailedToReopen;
            _hasFailedToReopen = true;
            return new(false, isNews ? failure.Message : null);
        }
    }

    /// <summary>Closes the stream.</summary>
    public void Dispose() => _stream.Dispose();

    private static FileStream Open(string path)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
        return new FileStream(path, options);
    }

    // The kernel's own name for the open file: it follows a rename, and says so when the file is deleted.
    private string? Place()
    {
        if (!OperatingSystem.IsLinux() || _stream is not FileStream { CanSeek: true } file)
            return null;

        try
        {
            return File.ResolveLinkTarget($"/proc/self/fd/{file.SafeFileHandle.DangerousGetHandle()}", false)?.FullName;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
