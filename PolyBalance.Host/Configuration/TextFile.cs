using System.Text;

namespace PolyBalance.Host.Configuration;

/// <summary>Reads files that operators write: UTF-8, of a bounded length.</summary>
internal static class TextFile
{
    private static readonly UTF8Encoding StrictUtf8 =
        new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a whole text, without the mark that some editors put before it.</summary>
    /// <param name="open">Opens it.</param>
    /// <param name="bytesMax">A longer one is refused.</param>
    /// <param name="problem">What goes behind the file's name and a colon when there is no text.</param>
    /// <returns>The text, or <see langword="null"/>.</returns>
    public static string? TryRead(Func<Stream> open, int bytesMax, out string problem)
    {
        problem = "";
        try
        {
            using var stream = open();
            return ReadText(stream, bytesMax);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            problem = $"cannot be read: {Reason(failure)}";
        }
        catch (DecoderFallbackException)
        {
            problem = "is not UTF-8 text; save it in that encoding";
        }

        return null;
    }

    private static string ReadText(Stream stream, int bytesMax)
    {
        using var bytes = new MemoryStream();
        var block = new byte[16 * 1024];
        for (int count; (count = stream.Read(block)) > 0;)
        {
            bytes.Write(block, 0, count);
            if (bytes.Length > bytesMax)
                throw new IOException($"it is longer than {bytesMax / 1024} KiB");
        }

        var start = bytes.GetBuffer().AsSpan(0, (int)bytes.Length).StartsWith("\uFEFF"u8) ? 3 : 0;
        return StrictUtf8.GetString(bytes.GetBuffer(), start, (int)bytes.Length - start);
    }

    private static string Reason(Exception failure) => failure switch
    {
        FileNotFoundException or DirectoryNotFoundException => "it does not exist",
        UnauthorizedAccessException => "it is a folder, or access is denied",
        _ => failure.Message,
    };
}
