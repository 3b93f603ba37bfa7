using NUnit.Framework;

namespace PolyBalance.Tests.Architecture;

/// <summary>The other tests here are worth as much as what they read the sources with.</summary>
internal sealed class SourceScanTests
{
    [TestCase("a // b \"c\"\nd", "a\nd", "// b \"c\"", "")]
    [TestCase("a /* \" */ b", "a  b", "/* \" */", "")]
    [TestCase("x(\"// no\", 'y')", "x(\"\", '')", "", "// noy")]
    [TestCase("'\"' + '\\'' // z", "'' + '' ", "// z", "\"\\'")]
    [TestCase("@\"a\\\" + \"b\"", "@\"\" + \"\"", "", "a\\b")]
    [TestCase("$\"a{f(\"b\")}c{{d\" // e", "$\"{f(\"\")}\" ", "// e", "abc{{d")]
    [TestCase("\"\"\"a \"b\" c\"\"\" + d", "\"\"\"\"\"\" + d", "", "a \"b\" c")]
    [TestCase("$$\"\"\"{a}{{b}}\"\"\";", "$$\"\"\"{{b}}\"\"\";", "", "{a}")]
    public void A_file_comes_apart_into_code_comments_and_strings(
        string text, string code, string comments, string strings)
    {
        var file = SourceFile.Of(text);

        Assert.That(Squeeze(file.Code), Is.EqualTo(Squeeze(code)));
        Assert.That(Squeeze(file.Comments), Is.EqualTo(Squeeze(comments)));
        Assert.That(Squeeze(file.Strings), Is.EqualTo(Squeeze(strings)));
    }

    [Test]
    public void Members_are_found_with_their_lines()
    {
        const string Text = """
            namespace N;

            internal sealed class C(int start) : Base(start)
            {
                private static readonly int[] Table = [One(1), 2];

                public int Count { get; private set; } = 7;

                [Test, Category("a")]
                public async Task Run_it<T>(int a = 1) where T : struct
                {
                    if (a > 0)
                    {
                        await Other();
                    }
                }

                public static bool operator ==(C a, C b) => true;

                private int One(int x)
                    => x switch
                    {
                        1 => 2,
                        _ => 3,
                    };

                private struct Nested
                {
                    public void Go() { }
                }
            }
            """;

        var methods = SourceMembers.Of(SourceFile.Of(Text)).Where(member => member.IsMethod)
            .Select(member => $"{member.Name} {member.FirstLine}-{member.LastLine}");

        Assert.That(methods, Is.EqualTo((string[])["Run_it 9-16", " 18-18", "One 20-25", "Go 29-29"]));
    }

    [Test]
    public void Calls_are_found_in_iterators_closures_and_plain_methods()
    {
        var calls = CallScanner.CallsOf(typeof(Sample).Assembly)
            .Where(call => call.From == typeof(Sample))
            .Select(call => $"{call.Within[(typeof(Sample).FullName!.Length + 1)..]} {call.Callee.Name}")
            .ToList();

        Assert.That(calls, Does.Contain("Plain Max"));
        Assert.That(calls, Does.Contain("Waiting Min"));
        Assert.That(calls, Does.Contain("Closing Abs"));
    }

    private static string Squeeze(string text) => text.Replace(" ", "", StringComparison.Ordinal).Trim();

    private static class Sample
    {
        public static int Plain(int a) => Math.Max(a, 1);

        public static async Task<int> Waiting(int a)
        {
            await Task.Yield();
            return Math.Min(a, 2);
        }

        public static Func<int> Closing(int a) => () => Math.Abs(a);
    }
}
