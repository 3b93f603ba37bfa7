using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using NUnit.Framework;
using PolyBalance.Configuration;

namespace PolyBalance.Tests.Configuration;

/// <summary>
/// What holds for every text, checked with random ones; a failure prints the seed and the smallest text it found.
/// </summary>
internal sealed class ConfigPropertyTests
{
    // What YAML, our values and our substitutions are made of, so that random texts get past the first character.
    private static readonly string[] Fragments =
    [
        "listeners", "clusters", "backends", "bind", "health", "routes", "match", "admin", "web", "off", "~", "null",
        ": ", ":", "- ", "-", "\n", "\n  ", "\n    ", "\t", " ", "{", "}", "[", "]", ", ", "\"", "'", "|\n", ">\n",
        "#", "&a ", "*a", "? ", "! ", "!!str ", "%", "@", "`", "---\n", "...\n", "<<: ", "${", "${A", "}", ":-", "$${",
        "\\", "\\u", "\\U", "yes", "8000", ":8000", "10s", "0123", "20%", "64KiB", "200-399", "-1", "a:80",
        "http://", "https://", "unix:/", "[::1]:80", "\0", "\uFEFF", "\uD800", "\u0085", "\u2028", "é", "\r", "\r\n",
    ];

    private static readonly string[] AddressFragments =
        ["a", "b.c", "::1", "[", "]", ":", "80", "0", "unix:", "/", "10.0.0.1", "fe80::", "-", "_", "."];

    [Test]
    public void No_text_makes_parsing_throw()
        => Holds(500, Prop.ForAll(ArbMap.Default.ArbFor<string?>(), text => IsTotal(text ?? "")));

    [Test]
    public void No_text_made_of_yaml_makes_parsing_throw()
        => Holds(5_000, Prop.ForAll(
            Gen.Elements(Fragments).ArrayOf().ToArbitrary(), parts => IsTotal(string.Concat(parts))));

    [Test]
    public void No_mutation_of_a_valid_file_makes_parsing_throw()
        => Holds(2_000, Prop.ForAll(Mutations(FullExample.Text).ToArbitrary(), IsTotal));

    [Test]
    public void No_override_makes_parsing_throw()
        => Holds(500, Prop.ForAll(ArbMap.Default.ArbFor<string?>(), Mutations(Parsing.Smallest).ToArbitrary(),
            (value, text) =>
        {
            var any = new ConfigOverride(value ?? "", "-flag");
            return IsConsistent(ProxyOptions.Parse(text, Parsing.File, environment: null, new ConfigOverrides
            {
                Port = any,
                Backends = any,
                HealthInterval = any,
                HealthTimeout = any,
                BackendTimeout = any,
                Strategy = any,
            }));
        }));

    [Test]
    public void A_mutated_key_is_reported_where_it_is_and_the_right_one_suggested()
    {
        var keys = FullExample.Keys().ToArray();
        var mutated = from key in Gen.Elements(keys)
                      from index in Gen.Choose(0, key.Name.Length - 1)
                      from letter in Gen.Elements('0', '9')
                      from kind in Gen.Choose(0, 2)
                      select (Key: key, Written: Mutate(key.Name, index, letter, kind));

        Holds(500, Prop.ForAll(mutated.ToArbitrary(), mutation =>
        {
            var ((name, offset, line, column), written) = mutation;
            var text = FullExample.Text.Remove(offset, name.Length).Insert(offset, written);
            var expected = $"{line}:{column}: unknown key `{written}`; did you mean `{name}`?";
            return Parsing.Errors(text).Contains(expected);
        }));
    }

    [Test]
    public void Every_address_that_can_be_read_is_written_so_that_it_reads_the_same()
        => Holds(5_000, Prop.ForAll(Gen.Elements(AddressFragments).ArrayOf().ToArbitrary(), parts =>
        {
            var text = string.Concat(parts);
            return !Address.TryParse(text, out var address)
                || (Address.TryParse(address.ToString(), out var again) && again == address);
        }));

    [Test]
    public void Every_duration_and_size_is_written_so_that_it_reads_the_same()
        => Holds(500, Prop.ForAll(Gen.Choose(0, 604_800_000).ToArbitrary(), number =>
        {
            var duration = TimeSpan.FromMilliseconds(number);
            var read = Quantity.Duration(Quantity.Write(duration), TimeSpan.Zero, Quantity.Longest);
            return read == new Parsed<TimeSpan>(duration, null)
                && Quantity.Size(Quantity.WriteSize(number), 0, long.MaxValue) == new Parsed<long>(number, null);
        }));

    private static void Holds(int tests, Property property)
        => Check.One(Config.QuickThrowOnFailure.WithMaxTest(tests).WithEndSize(60), property);

    private static bool IsTotal(string text)
        => IsConsistent(ProxyOptions.Parse(text, Parsing.File, name => name.Length == 1 ? "value" : null));

    // Options or errors, never both and never neither; every error points into the text and says something.
    private static bool IsConsistent(ConfigResult result)
        => result.Options is null == result.Errors.Count > 0
            && result.Errors.Concat(result.Warnings).All(error => error.Problem.Length > 0
                && (error.Line == 0 ? error is { Column: 0, File: "-flag" } : error is { Line: > 0, Column: > 0 }));

    private static Gen<string> Mutations(string text)
        => from cuts in Gen.Choose(1, 3)
           from places in Gen.Choose(0, text.Length - 1).ArrayOf(cuts)
           from lengths in Gen.Choose(0, 12).ArrayOf(cuts)
           from inserts in Gen.Elements(Fragments).ArrayOf(cuts)
           select Enumerable.Range(0, cuts).Aggregate(text, (mutated, i) =>
           {
               var place = Math.Min(places[i], mutated.Length);
               return mutated.Remove(place, Math.Min(lengths[i], mutated.Length - place)).Insert(place, inserts[i]);
           });

    private static string Mutate(string key, int index, char letter, int kind) => kind switch
    {
        0 => key.Remove(index, 1).Insert(index, letter.ToString(CultureInfo.InvariantCulture)),
        1 => key.Insert(index, letter.ToString(CultureInfo.InvariantCulture)),
        _ => key.Insert(index, key[index].ToString(CultureInfo.InvariantCulture)),
    };
}
