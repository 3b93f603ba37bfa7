using NUnit.Framework;
using PolyBalance.Configuration;
using PolyBalance.Host;
using PolyBalance.Host.Configuration;

namespace PolyBalance.Tests.Host;

/// <summary>The files with signing keys that a configuration names.</summary>
internal sealed class SecretFilesTests
{
    private const string Key = "0123456789-0123456789-0123456789-01";

    [Test]
    public async Task A_key_file_that_is_in_order_is_read_and_not_shown()
    {
        using var run = Configured("sticky.keys", Key);

        Assert.That(await run.RunAsync("check"), Is.Zero);
        Assert.That(run.Errors, Is.Empty);
        Assert.That(Load(run)!.Options.Clusters[0].Sticky!.Keys!.Count, Is.EqualTo(1));
    }

    [Test]
    public async Task A_key_file_with_mistakes_makes_the_configuration_wrong()
    {
        using var run = Configured("sticky.keys", $"# ours\n{Key}\nsecret\n{Key}\n");

        Assert.That(await run.RunAsync("check"), Is.EqualTo(1));
        Assert.That(run.Errors, Is.EqualTo(new[]
        {
            "sticky.keys:3:1: this key has fewer than 32 characters; make one with `openssl rand -base64 32`",
            "sticky.keys:4:1: the same key is at line 2 already; remove one of the two",
            "2 errors in polybalance.yaml",
        }));
    }

    [Test]
    public async Task Run_refuses_what_check_refuses()
    {
        using var run = Configured("sticky.keys", "");

        Assert.That(await run.RunAsync("run"), Is.EqualTo(1));
        Assert.That(run.Errors[0], Does.StartWith("sticky.keys:1:1: there is no key in this file; "));
    }

    [TestCase("missing.keys", "it does not exist")]
    [TestCase(".", "it is a folder, or access is denied")]
    public async Task A_key_file_that_cannot_be_read_is_named_with_a_remedy(string name, string reason)
    {
        using var run = Configured(name, null);

        Assert.That(await run.RunAsync("check"), Is.EqualTo(1));
        Assert.That(run.Errors[0], Is.EqualTo(
            $"{name}: cannot be read: {reason}; write a key into it, as with `openssl rand -base64 32`, or leave "
            + "`key_file` out"));
    }

    [Test]
    public async Task A_key_file_that_is_too_long_or_no_text_is_refused()
    {
        using var run = Configured("sticky.keys", new string('\n', SecretFiles.BytesMax + 1));
        Assert.That(await run.RunAsync("check"), Is.EqualTo(1));
        Assert.That(run.Errors[0], Does.StartWith("sticky.keys: cannot be read: it is longer than 64 KiB; "));

        await File.WriteAllBytesAsync(Path.Combine(run.Folder, "sticky.keys"), [0xFF]);
        Assert.That(await run.RunAsync("check"), Is.EqualTo(1));
        Assert.That(run.Errors[2], Does.StartWith("sticky.keys: is not UTF-8 text; "));
    }

    [TestCase(UnixFileMode.UserRead, false)]
    [TestCase(UnixFileMode.UserRead | UnixFileMode.GroupRead, true)]
    [TestCase(UnixFileMode.UserRead | UnixFileMode.OtherRead, true)]
    [Platform("Linux", Reason = "file modes")]
    public async Task Keys_that_others_can_read_are_worth_a_warning(UnixFileMode mode, bool isWarned)
    {
        using var run = Configured("sticky.keys", Key);
#pragma warning disable CA1416 // Only where there are file modes.
        File.SetUnixFileMode(Path.Combine(run.Folder, "sticky.keys"), mode);
#pragma warning restore CA1416

        Assert.That(await run.RunAsync("check"), Is.Zero);
        Assert.That(run.Errors, Is.EqualTo(isWarned
            ? new[]
            {
                "warning: sticky.keys: users other than its owner can read this secret; "
                    + "take that away with `chmod 600`",
            }
            : []));
    }

    [Test]
    public async Task Without_a_key_file_the_price_is_told()
    {
        using var run = Configured(null, null);

        Assert.That(await run.RunAsync("check"), Is.Zero);
        Assert.That(run.Errors, Has.Length.EqualTo(1));
        Assert.That(
            run.Errors[0], Does.StartWith("warning: polybalance.yaml:5:13: ").And.EndsWith("; write `key_file`"));
    }

    [TestCase("a-token-that-nobody-guesses\n", null)]
    [TestCase("short", "a token of 5 characters can be guessed")]
    [TestCase(" \n", "there is no token in it")]
    [TestCase("two words of a token", "a token is one line of visible ASCII characters")]
    [TestCase(null, "cannot be read: it does not exist")]
    public async Task The_token_of_operators_is_read_or_refused(string? token, string? problem)
    {
        using var run = new CommandLineRun();
        run.File("polybalance.yaml",
            "listeners: [ { bind: \":8000\" } ]\nadmin: { bind: \":8081\", token_file: token }\n"
            + "clusters: { web: { backends: [ \"10.0.0.11:8080\" ] } }\n");
        if (token is not null)
            run.File("token", token);

        Assert.That(await run.RunAsync("check"), Is.EqualTo(problem is null ? 0 : 1));
        if (problem is not null)
        {
            Assert.That(run.Errors, Has.Some.EqualTo(
                $"token: {problem}; write a token into it, as with `openssl rand -base64 32`"));
        }
        else
        {
            Assert.That(Load(run)!.Options.Admin!.Token!.Matches("a-token-that-nobody-guesses"u8));
        }
    }

    private static LoadedConfig? Load(CommandLineRun run)
        => LoadedConfig.TryLoad(null, new ConfigOverrides(), run.Surroundings, out var config) == 0 ? config : null;

    private static CommandLineRun Configured(string? name, string? keys)
    {
        var run = new CommandLineRun();
        run.File("polybalance.yaml",
            $$"""
            listeners: [ { bind: ":8000" } ]
            clusters:
              web:
                backends: [ "10.0.0.11:8080" ]
                sticky: { {{(name is null ? "" : $"key_file: \"{name}\"")}} }
            """);
        if (name is null || keys is null)
            return run;

        run.File(name, keys);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(Path.Combine(run.Folder, name), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return run;
    }
}
