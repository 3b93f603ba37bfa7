namespace PolyBalance.Benchmarks.Compare;

/// <summary>What the configurations of nginx as a backend and of nginx as a proxy have in common.</summary>
internal static class NginxText
{
    /// <summary>
    /// The lines before <c>http</c>. As root the workers stay root: the folder of a comparison belongs to its user
    /// alone.
    /// </summary>
    public static string Process(string folder, int workers) =>
        $$"""
        {{(Environment.IsPrivilegedProcess ? "user root;" : "")}}
        daemon off;
        worker_processes {{workers}};
        worker_rlimit_nofile {{Machine.OpenFilesMax}};
        pid {{folder}}/nginx.pid;
        error_log stderr warn;
        events { worker_connections 16384; }
        """;

    /// <summary>Where everything goes that nginx may write.</summary>
    public static string Folders(string folder) =>
        $$"""
          client_body_temp_path {{folder}}/body;
          proxy_temp_path {{folder}}/proxy;
          fastcgi_temp_path {{folder}}/fastcgi;
          uwsgi_temp_path {{folder}}/uwsgi;
          scgi_temp_path {{folder}}/scgi;
        """;
}
