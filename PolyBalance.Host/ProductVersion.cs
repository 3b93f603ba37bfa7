using System.Reflection;
using System.Runtime.InteropServices;

namespace PolyBalance.Host;

/// <summary>What this build is called.</summary>
internal static class ProductVersion
{
    private const int RevisionLength = 9;

    /// <summary>
    /// The version, with the first digits of the source revision when the build knew it: <c>0.1.0+1a2b3c4d5</c>.
    /// </summary>
    public static string Text { get; } = Shorten(
        typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
            ?.InformationalVersion ?? "");

    /// <summary>Runtime and platform, such as <c>.NET 10.0.4, linux-x64</c>.</summary>
    public static string Runtime { get; } =
        $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier}";

    private static string Shorten(string version)
    {
        var plus = version.IndexOf('+', StringComparison.Ordinal);
        return plus < 0 ? version : version[..Math.Min(version.Length, plus + 1 + RevisionLength)];
    }
}
