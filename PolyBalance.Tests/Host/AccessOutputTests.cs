using NUnit.Framework;
using PolyBalance.Host;
using PolyBalance.Host.Telemetry;

namespace PolyBalance.Tests.Host;

internal sealed class AccessOutputTests
{
    private string _folder = "";

    private string Log => Path.Combine(_folder, "access.log");

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("polybalance-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void A_file_is_appended_to()
    {
        File.WriteAllText(Log, "before\n");
        using (var output = AccessOutput.ToFile(Log))
            output.Write("after\n"u8);

        Assert.That(File.ReadAllText(Log), Is.EqualTo("before\nafter\n"));
    }

    [Test]
    public void A_file_that_was_emptied_starts_again_at_its_beginning()
    {
        using var output = AccessOutput.ToFile(Log);
        output.Write("one\n"u8);
        File.WriteAllText(Log, "");
        output.Write("two\n"u8);

        Assert.That(File.ReadAllText(Log), Is.EqualTo("two\n"));
    }

    [Test]
    public void A_file_that_was_renamed_is_left_alone_and_a_new_one_begun()
    {
        using var output = AccessOutput.ToFile(Log);
        output.Write("one\n"u8);
        Assert.That(output.ReopenIfMoved(), Is.EqualTo(default(AccessReopening)), "nothing has moved yet");

        File.Move(Log, Log + ".1");
        Assert.That(output.ReopenIfMoved().IsReopened, Is.True);
        output.Write("two\n"u8);

        Assert.That(File.ReadAllText(Log + ".1"), Is.EqualTo("one\n"));
        Assert.That(File.ReadAllText(Log), Is.EqualTo("two\n"));
    }

    [Test]
    public void A_file_that_was_renamed_and_made_anew_by_another_is_noticed_too()
    {
        using var output = AccessOutput.ToFile(Log);
        File.Move(Log, Log + ".1");
        File.WriteAllText(Log, "");
        Assert.That(output.ReopenIfMoved().IsReopened, Is.True);
        output.Write("two\n"u8);

        Assert.That(File.ReadAllText(Log), Is.EqualTo("two\n"));
    }

    [Test]
    public void A_file_that_was_deleted_is_made_anew()
    {
        using var output = AccessOutput.ToFile(Log);
        File.Delete(Log);
        Assert.That(output.ReopenIfMoved().IsReopened, Is.True);
        output.Write("two\n"u8);

        Assert.That(File.ReadAllText(Log), Is.EqualTo("two\n"));
    }

    [Test]
    public void When_the_file_cannot_be_opened_again_the_old_one_stays_in_use_and_it_is_said_once()
    {
        using var output = AccessOutput.ToFile(Log);
        var elsewhere = Path.Combine(_folder, "old.log");
        File.Move(Log, elsewhere);
        Directory.CreateDirectory(Log);

        var first = output.ReopenIfMoved();
        var second = output.ReopenIfMoved();
        output.Write("one\n"u8);

        Assert.Multiple(() =>
        {
            Assert.That(first.Problem, Is.Not.Null);
            Assert.That(second, Is.EqualTo(default(AccessReopening)));
            Assert.That(File.ReadAllText(elsewhere), Is.EqualTo("one\n"));
        });
    }

    [Test]
    public void Reopening_follows_the_path_even_when_the_file_is_where_it_was()
    {
        using var output = AccessOutput.ToFile(Log);
        output.Write("one\n"u8);

        Assert.That(output.Reopen().IsReopened, Is.True);
        output.Write("two\n"u8);
        Assert.That(File.ReadAllText(Log), Is.EqualTo("one\ntwo\n"));
    }

    [Test]
    public void A_stream_is_never_opened_again()
    {
        using var output = new AccessOutput(new MemoryStream(), "stdout");

        Assert.That(output.Reopen(), Is.EqualTo(default(AccessReopening)));
        Assert.That(output.ReopenIfMoved(), Is.EqualTo(default(AccessReopening)));
    }
}
