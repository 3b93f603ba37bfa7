using NUnit.Framework;
using PolyBalance.Configuration;

namespace PolyBalance.Tests.Configuration;

/// <summary>
/// Every slip of one finger in every key of the full example: a letter left out, doubled, swapped with its neighbour,
/// or a neighbouring key of the keyboard hit instead of it or beside it. All of them are tried, so the share of right
/// suggestions is a number and not an estimate. Names that users choose are no keys.
/// </summary>
internal sealed class KeySlipTests
{
    private const double RightMin = 0.99;

    // Rows of a QWERTY keyboard, each half a key to the right of the one above.
    private static readonly string[] Rows = ["1234567890-", "qwertyuiop", "asdfghjkl", "zxcvbnm"];

    [Test]
    public void A_slip_in_a_key_is_one_error_where_it_is_and_the_first_suggestion_is_right()
    {
        var tried = 0;
        var wrong = new List<string>();
        foreach (var (name, offset, line, column) in FullExample.Keys())
        {
            foreach (var slip in Slips(name))
            {
                var text = FullExample.Text.Remove(offset, name.Length).Insert(offset, slip);
                var errors = ProxyOptions.Parse(text, Parsing.File).Errors;
                var found = errors.Count == 1 ? errors[0] : null;

                Assert.That(found?.Problem, Is.EqualTo($"unknown key `{slip}`"),
                    $"`{name}` at line {line}: {string.Join("; ", errors)}");
                Assert.That((found!.Line, found.Column), Is.EqualTo((line, column)), $"`{slip}` for `{name}`");
                tried++;
                if (found.Remedy != $"did you mean `{name}`?")
                    wrong.Add($"{slip} for {name}: {found.Remedy}");
            }
        }

        var right = 1 - wrong.Count / (double)tried;
        TestContext.Out.WriteLine(
            $"{tried} slips, {right:P2} of the first suggestions are right; wrong are:\n{string.Join('\n', wrong)}");
        Assert.That(right, Is.GreaterThanOrEqualTo(RightMin),
            $"{right:P2} of {tried} first suggestions are right; wrong are:\n{string.Join('\n', wrong)}");
        Assert.That(tried, Is.GreaterThan(5_000));
    }

    [TestCase('g', "tyfhvb")]
    [TestCase('p', "0-ol")]
    [TestCase('_', "-")]
    public void Neighbours_are_those_of_the_keyboard(char letter, string neighbours)
        => Assert.That(NeighboursOf(letter), Is.EquivalentTo(neighbours));

    [Test]
    public void Slips_are_of_every_kind()
        => Assert.That(Slips("pool"), Is.SupersetOf((string[])
            ["ool", "pol", "poo", "ppool", "pooll", "opol", "polo", "0ool", "pokl", "p0ool", "poiol", "poolk"]));

    private static IEnumerable<string> Slips(string name)
    {
        var slips = new List<string>();
        for (var i = 0; i < name.Length; i++)
        {
            slips.Add(name.Remove(i, 1));
            slips.Add(name.Insert(i, name[i..(i + 1)]));
            if (i > 0)
                slips.Add(name[..(i - 1)] + name[i] + name[i - 1] + name[(i + 1)..]);
            foreach (var neighbour in NeighboursOf(name[i]))
            {
                slips.Add(name[..i] + neighbour + name[(i + 1)..]);
                slips.Add(name[..i] + neighbour + name[i..]);
                slips.Add(name[..(i + 1)] + neighbour + name[(i + 1)..]);
            }
        }

        return slips.Distinct().Where(slip => slip != name);
    }

    private static IEnumerable<char> NeighboursOf(char letter)
    {
        // Only the shift key was missed.
        if (letter == '_')
            return ['-'];

        var row = Array.FindIndex(Rows, row => row.Contains(letter));
        var column = Rows[row].IndexOf(letter);
        (int Row, int Column)[] around =
            [(row, column - 1), (row, column + 1), (row - 1, column), (row - 1, column + 1), (row + 1, column - 1),
                (row + 1, column)];
        return from place in around
               where place.Row >= 0 && place.Row < Rows.Length
               where place.Column >= 0 && place.Column < Rows[place.Row].Length
               select Rows[place.Row][place.Column];
    }
}
