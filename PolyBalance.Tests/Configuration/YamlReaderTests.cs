using System.Text;
using NUnit.Framework;

namespace PolyBalance.Tests.Configuration;

/// <summary>What is wrong before anybody asks what it means.</summary>
internal sealed class YamlReaderTests
{
    [TestCase("a:\n\tb: 1\n", "2:1: a tab is used for indentation; use spaces")]
    [TestCase("a:\n  b: 1\n\tc: 2\n", "3:1: a tab is used for indentation; use spaces")]
    [TestCase("a: b: c\n", "1:5: a second `: ` in one value, or a key at the wrong indentation; "
        + "check the indentation, and put quotes around values that contain `: `")]
    [TestCase("a: \"x\n", "1:4: a quote is opened here and never closed; close it")]
    [TestCase("a: @x\n", "1:4: a value cannot begin with `@`; put quotes around the value")]
    [TestCase("{ a: \"x\"\n  b: 1 }\n", "2:3: expected `,` or `}`; write a comma between two keys, close the `{`, "
        + "and put quotes around values that contain `{`, `}` or `,`")]
    [TestCase("a:\n  b: [ \"x\"\n  c: 1\n", "2:6: a `[` is opened here and never closed; close it")]
    [TestCase("a: { b: ${X} }\n",
        "1:10: expected `,` or `}`; write a comma between two keys, close the `{`, and put quotes around values that "
        + "contain `{`, `}` or `,`")]
    [TestCase("[[[\n", "1:3: a `[` is opened here and never closed; close it")]
    [TestCase("- a\nb: 1\n",
        "2:1: expected another `- ` of the list; indent the line like the rest of the list, or end the list")]
    [TestCase("a: [::]:80\n",
        "1:9: to YAML the value ends with the `]` before this; put quotes around the whole value")]
    [TestCase("a: \"\\x\"\n", "1:4: an escape in this value is malformed; "
        + "use single quotes, in which a backslash is an ordinary character")]
    [TestCase("a: \"\\q\"\n", "1:4: an escape in this value is unknown; "
        + "use single quotes, in which a backslash is an ordinary character")]
    [TestCase("a: \"\\UFFFFFFFF\"\n",
        "1:2: the text is not valid YAML from here on; check indentation, brackets and quotes")]
    [TestCase("%YAML 3.0\n---\na: 1\n",
        "1:1: the file asks for another version of YAML; remove the line that begins with `%YAML`")]
    [TestCase("a: 1\n---\nb: 2\n", "2:1: a second document begins here; keep one configuration per file: remove `---`")]
    [TestCase("a: *b\n", "1:4: a bare `*` begins an alias, and no anchor `&b` is above it; "
        + "put quotes around the value, or define the anchor first")]
    [TestCase("a: &b { c: *b }\n", "1:12: a bare `*` begins an alias, and no anchor `&b` is above it; "
        + "put quotes around the value, or define the anchor first")]
    [TestCase("? [ a ]\n: 1\n",
        "1:3: a key must be a single word; values that begin with `{`, `[`, `&` or `*` need quotes")]
    public void Text_that_is_no_yaml_is_one_error(string text, string expected)
        => Assert.That(Parsing.Errors(text), Is.EqualTo((string[])[expected]));

    [TestCase("<<: { a: 1 }\n",
        "6:1: merge keys (`<<`) are not supported; repeat the keys, or use an alias for the whole section")]
    [TestCase("transport: !!binary auto\n", "6:12: the tag `tag:yaml.org,2002:binary` means nothing here; remove it")]
    [TestCase("limits: !mine {}\n", "6:9: the tag `!mine` means nothing here; remove it")]
    public void Yaml_that_no_configuration_needs_is_refused(string lines, string expected)
        => Assert.That(Parsing.Errors(Parsing.Smallest + lines), Does.Contain(expected));

    [TestCase("transport: !!str auto\n")]
    [TestCase("limits: !!map {}\n")]
    [TestCase("transport:\tauto\t# a tab that indents nothing\n")]
    [TestCase("transport: >-\n  auto\n")]
    [TestCase("\"transport\": 'auto'\n")]
    public void Yaml_that_changes_nothing_is_fine(string lines)
        => Assert.That(Parsing.Errors(Parsing.Smallest + lines), Is.Empty);

    [Test]
    public void Windows_line_ends_change_no_position()
        => Assert.That(Parsing.Errors((Parsing.Smallest + "limit: {}\n").Replace("\n", "\r\n")),
            Is.EqualTo((string[])["6:1: unknown key `limit`; did you mean `limits`?"]));

    [TestCase("\n")]
    [TestCase("\r\n")]
    public void A_comma_is_missed_where_there_is_none_and_nowhere_else(string end)
    {
        Assert.That(Parsing.Errors(FullExample.Text.Replace("\n", end)), Is.Empty);
        Assert.That(Parsing.Errors(string.Join(end, "{ listeners: [ { bind: \":8000\" } ] # a comment", "  ,",
            "  clusters: { web: { backends: [ a:80 ] } }", "  admin: \"off\" }")),
            Is.EqualTo((string[])["4:3: no comma stands before this key; write one"]));
    }

    [TestCase("[ bind: \":0\" ]", "1:20: the port `0` is outside 1 to 65535; write at least `1`")]
    [TestCase("[ expose: [] ]", "1:14: `bind` is missing; write `bind: \":8000\"`")]
    public void A_mapping_in_a_list_may_do_without_braces_and_is_still_found(string listeners, string expected)
        => Assert.That(Parsing.Errors($"listeners: {listeners}\nclusters: {{ web: {{ backends: [] }} }}\n"),
            Is.EqualTo((string[])[expected]));

    [TestCase("\u00A0", "00A0")]
    [TestCase("\u200B", "200B")]
    [TestCase("\u3000", "3000")]
    public void What_only_looks_like_a_blank_is_named(string sign, string code)
        => Assert.That(Parsing.Errors($"a: 1\n{sign}b: 2\n"), Is.EqualTo((string[])
            [$"2:1: the character U+{code} before this key only looks like a blank; indent with ordinary blanks"]));

    [Test]
    public void Depth_is_bounded()
        => Assert.That(Parsing.Errors(new string('[', 100_000)),
            Is.EqualTo((string[])["1:33: more than 32 levels of nesting; no key is as deep as that"]));

    [Test]
    public void Length_is_bounded()
        => Assert.That(Parsing.Errors(new string('#', 4 * 1024 * 1024 + 1)),
            Is.EqualTo((string[])["1:1: the text is longer than 4194304 characters; is it the right file?"]));

    [Test]
    public void Aliases_of_aliases_do_not_explode()
    {
        var text = new StringBuilder("a0: &a0 [ x, x, x, x, x, x, x, x, x, x ]\n");
        for (var i = 1; i < 12; i++)
            text.Append($"a{i}: &a{i} [ {string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))} ]\n");

        Assert.That(Parsing.Errors(text.ToString()),
            Is.EqualTo((string[])["5:46: more than 100000 values, aliases included; use fewer aliases"]));
    }

    [Test]
    public void An_error_behind_an_alias_is_reported_once()
        => Assert.That(Parsing.Errors("""
            listeners: [ { bind: ":8000" } ]
            routes: [ { match: { host: a.b }, cluster: one }, { cluster: two } ]
            clusters:
              one: &pattern { backends: [ "a:80" ], pool: { size: x } }
              two: *pattern
            """), Is.EqualTo((string[])["4:55: `x` is not a whole number; write a number from 0 to 65536"]));
}
