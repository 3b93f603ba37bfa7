using System.Collections.Frozen;
using System.Reflection;
using System.Text;
using PolyBalance.Http;
using PolyBalance.Proxy;

namespace PolyBalance.Admin;

/// <summary>The dashboard's page and what belongs to it, from this executable: <c>/admin/</c>.</summary>
/// <remarks>
/// Without token: there is nothing secret in them, and who has a token enters it there. What the page may do is bounded
/// by its content security policy: it talks to nobody but us, and no other page can show it in a frame.
/// </remarks>
internal static class DashboardFiles
{
    private const string Short = "/admin";
    private const string Folder = "/admin/";
    private const string Prefix = "dashboard/";

    private static readonly byte[] Lines = Encoding.ASCII.GetBytes(
        "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        + "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
        + "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n");

    private static readonly byte[] Redirection = "Location: /admin/\r\n"u8.ToArray();
    private static readonly FrozenDictionary<string, byte[]> Files = Read();

    /// <summary>Whether a path is one of the dashboard's.</summary>
    public static bool Owns(string path) => path == Short || NameOf(path) is not null;

    /// <summary>Answers one of its paths.</summary>
    /// <param name="exchange">What is asked.</param>
    /// <param name="path">Its path.</param>
    public static ValueTask<FailureKind> AnswerAsync(Exchange exchange, string path)
    {
        if (exchange.Request.Method.Kind is not (MethodKind.Get or MethodKind.Head))
        {
            var refusal = AdminAnswer.Refused(
                405, "method_not_allowed", "Allowed here: GET, HEAD", "Allow: GET, HEAD\r\n");
            return LocalResponse.SendAsync(
                exchange, refusal.Status, "application/json", refusal.LineBytes, refusal.Content);
        }

        return NameOf(path) is { } name
            ? LocalResponse.SendAsync(exchange, 200, TypeOf(name), Lines, Files[name])
            : LocalResponse.SendAsync(exchange, 308, "text/plain", Redirection, default);
    }

    private static string? NameOf(string path)
    {
        if (!path.StartsWith(Folder, StringComparison.Ordinal))
            return null;

        var name = path == Folder ? "index.html" : path[Folder.Length..];
        return Files.ContainsKey(name) ? name : null;
    }

    private static string TypeOf(string name) => name[name.LastIndexOf('.')..] switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        _ => "image/svg+xml",
    };

    private static FrozenDictionary<string, byte[]> Read()
    {
        var assembly = Assembly.GetExecutingAssembly();
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var resource in assembly.GetManifestResourceNames())
        {
            if (!resource.StartsWith(Prefix, StringComparison.Ordinal))
                continue;

            using var stream = assembly.GetManifestResourceStream(resource)!;
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            files[resource[Prefix.Length..]] = content;
        }

        return files.ToFrozenDictionary(StringComparer.Ordinal);
    }
}
