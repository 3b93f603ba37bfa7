using System.CommandLine;
using System.Globalization;
using System.Text;
using PolyBalance.Host.Configuration;

namespace PolyBalance.Host.Help;

/// <summary>The manual page polybalance(1), made from the commands themselves; see man(7).</summary>
internal static class ManualPage
{
    private static readonly string[] Beginning =
    [
        ".SH NAME",
        "polybalance \\- gateway for HTTP/1.1 that balances load",
        ".SH SYNOPSIS",
        ".B polybalance",
        "[\\fIcommand\\fR] [\\fIflags\\fR]",
        ".SH DESCRIPTION",
        Plain(
            "PolyBalance accepts HTTP/1.1 requests and forwards each to one of its backends. It probes backends, tries "
            + "again what may be tried again, drains, follows its configuration while it runs, and says why a request "
            + "went where it went. Without a command it runs."),
    ];

    /// <summary>Writes the page.</summary>
    /// <param name="root">The whole command tree.</param>
    public static string Write(RootCommand root)
    {
        var text = new StringBuilder();
        Line($".TH POLYBALANCE 1 \"\" \"polybalance {Plain(ProductVersion.Text.Split('+')[0])}\" \"User Commands\"");
        foreach (var line in Beginning)
            Line(line);
        Line(".SH COMMANDS");
        foreach (var command in root.Subcommands)
            Describe(command);
        Line(".SH SIGNALS");
        Item("SIGTERM, SIGINT", "Drain: accept nothing more, finish what runs, end. A second one ends at once.");
        Item("SIGHUP", "Take up the configuration anew, as the file says it now.");
        Item("SIGUSR1", "Open the access log again, after it was moved.");
        Line(".SH ENVIRONMENT");
        Item("NO_COLOR", "No colours on terminals.");
        Item("LISTEN_FDS, LISTEN_PID", "Listening sockets that systemd keeps; see sd_listen_fds(3).");
        Item("NOTIFY_SOCKET, WATCHDOG_USEC", "Where systemd hears of state and life; see sd_notify(3).");
        Item("OTEL_*", "What the section `tracing` of the configuration leaves open.");
        Line(".SH FILES");
        foreach (var path in ConfigFile.DefaultPaths)
            Item(path, "The configuration, where no other is named; the first that exists.");
        Line(".SH EXIT STATUS");
        foreach (var line in ExitCode.Describe().Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ', 2, StringSplitOptions.TrimEntries);
            Item(words[0], words[1]);
        }

        Line(".SH SEE ALSO");
        Line(".BR systemd.service (5),");
        Line(".BR systemd.socket (5)");
        return text.ToString();

        void Describe(Command command)
        {
            var words = string.Concat(command.Arguments.Select(
                one => one.Arity.MinimumNumberOfValues == 0 ? $" [{one.Name}]" : $" {one.Name}"));
            Line($".SS polybalance {Plain(command.Name + words)}");
            Line(Plain($"{command.Description}."));
            foreach (var argument in command.Arguments)
                Item(argument.Name, $"{argument.Description}.");
            foreach (var option in command.Options)
            {
                var value = option.HelpName is null ? "" : $" {option.HelpName}";
                Item($"{option.Name}{value}", $"{option.Description}.");
            }

            foreach (var example in HelpText.ExamplesOf(command.Name))
            {
                Line(".RS 4");
                Line(".nf");
                Line(Plain(example));
                Line(".fi");
                Line(".RE");
            }
        }

        void Item(string name, string description)
        {
            Line(".TP");
            Line($".B {Plain(name)}");
            Line(Plain(description));
        }

        void Line(string line) => text.Append(CultureInfo.InvariantCulture, $"{line}\n");
    }

    // A backslash begins an escape, a hyphen is a dash, and a dot or an apostrophe at the beginning is an order.
    private static string Plain(string line)
    {
        var plain = line.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal);
        return plain.StartsWith('.') || plain.StartsWith('\'') ? $"\\&{plain}" : plain;
    }
}
