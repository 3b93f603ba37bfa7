using System.Text.RegularExpressions;
using NUnit.Framework;
using PolyBalance.Tests.Interop;

namespace PolyBalance.Tests.Documents;

/// <summary>
/// The pieces of nginx and HAProxy in <c>docs/migration.md</c>: each is read by the program it is for. BlockTests see
/// to those of ours.
/// </summary>
internal sealed class MigrationTests
{
    private const string Document = "docs/migration.md";

    private string _folder = "";

    private static IEnumerable<CodeBlock> Nginx => Blocks("nginx");

    private static IEnumerable<CodeBlock> Haproxy => Blocks("haproxy");

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("polybalance-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [TestCaseSource(nameof(Nginx))]
    public async Task A_piece_of_nginx_is_right_to_nginx(CodeBlock piece)
    {
        var nginx = Programs.Find("nginx");

        // Logs go where the test may write.
        var result = await NginxAsync(nginx, piece.Text.Replace("/var/log/nginx", _folder, StringComparison.Ordinal));

        Assert.That(result.ExitCode, Is.Zero, result.Everything);
        Assert.That(result.Errors, Does.Not.Contain("[warn]"));
    }

    [TestCaseSource(nameof(Haproxy))]
    public async Task A_piece_of_HAProxy_is_right_to_HAProxy(CodeBlock piece)
    {
        var haproxy = Programs.FindOptional("haproxy");
        var file = Path.Combine(_folder, "haproxy.cfg");
        await File.WriteAllTextAsync(file, WithDefaults(piece.Text));

        var result = await RunningProgram.RunAsync(haproxy, "-c", "-f", file);

        Assert.That(result.ExitCode, Is.Zero, result.Everything);
        Assert.That(result.Everything, Does.Not.Contain("[WARNING]"));
    }

    [Test]
    public void Every_topic_ends_with_what_we_write()
    {
        var languages = Page.Blocks(Document).Select(block => block.Language).Where(one => one != "bash").ToList();

        Assert.That(languages, Has.Count.GreaterThan(30).And.All.AnyOf("nginx", "haproxy", "yaml"));
        Assert.That(languages[^1], Is.EqualTo("yaml"));
        foreach (var (other, next) in languages.Zip(languages.Skip(1)))
        {
            Assert.That((other, next), Is.AnyOf(
                ("nginx", "haproxy"), ("haproxy", "yaml"), ("yaml", "nginx"), ("yaml", "haproxy")));
        }
    }

    [TestCase("sticky cookie srv;")]
    [TestCase("health_check;")]
    [TestCase("queue 10;")]
    [TestCase("server 127.0.0.1:8080 slow_start=10s;")]
    [TestCase("server 127.0.0.1:8080 drain;")]
    [TestCase("server localhost:8080 resolve;")]
    public async Task What_the_page_says_nginx_lacks_it_lacks(string line)
    {
        // Later versions may have it: then the page has to say so.
        var nginx = Programs.Find("nginx");
        var version = await RunningProgram.RunAsync(nginx, "-v");
        if (!version.Errors.Contains("/1.22.", StringComparison.Ordinal))
            Assert.Ignore($"the page is about nginx 1.22; this is {version.Errors}");

        var result = await NginxAsync(nginx, $"upstream web {{ server 127.0.0.1:8081; {line} }}");

        Assert.That(result.ExitCode, Is.Not.Zero);
        Assert.That(result.Errors, Does.Match("unknown directive|invalid parameter"));
    }

    private static IEnumerable<CodeBlock> Blocks(string language)
        => Page.Blocks(Document).Where(block => block.Language == language);

    private async Task<ProgramResult> NginxAsync(string nginx, string piece)
    {
        var file = Path.Combine(_folder, "nginx.conf");
        await File.WriteAllTextAsync(file,
            $$"""
            pid {{_folder}}/nginx.pid;
            error_log stderr;
            events { }
            http {
            client_body_temp_path {{_folder}}/body;
            proxy_temp_path {{_folder}}/proxy;
            fastcgi_temp_path {{_folder}}/fastcgi;
            uwsgi_temp_path {{_folder}}/uwsgi;
            scgi_temp_path {{_folder}}/scgi;
            access_log off;
            {{piece}}
            }
            """);
        return await RunningProgram.RunAsync(nginx, "-t", "-e", "stderr", "-p", _folder, "-c", file);
    }

    // A `global` section has to come first, what the page leaves out before the rest, and somebody has to listen.
    private static string WithDefaults(string piece)
    {
        const string Defaults =
            """
            defaults
                mode http
                timeout connect 3s
                timeout client 30s
                timeout server 30s

            """;
        const string Listener = "frontend somebody\n    bind :8000\n";
        var global = Regex.Match(piece, @"\Aglobal\n(    .*\n)*").Value;
        var hasListener = Regex.IsMatch(piece, "^    bind ", RegexOptions.Multiline);
        return $"{global}{Defaults}\n{piece[global.Length..]}\n{(hasListener ? "" : Listener)}";
    }
}
