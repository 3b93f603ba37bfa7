using NUnit.Framework;
using PolyBalance.Configuration;

namespace PolyBalance.Tests.Configuration;

internal sealed class EquatableArrayTests
{
    [Test]
    public void Two_lists_with_equal_elements_are_equal()
    {
        EquatableArray<string> one = ["a", "b"];
        EquatableArray<string> other = ["a", string.Concat("b", "")];

        Assert.That(one == other && one.Equals((object)other) && one.GetHashCode() == other.GetHashCode());
        Assert.That(one, Is.EqualTo(other));
    }

    [Test]
    public void Order_and_length_count()
    {
        EquatableArray<int> list = [1, 2];

        Assert.That(list != [2, 1] && list != [1] && list != [1, 2, 3]);
    }

    [Test]
    public void The_default_is_the_empty_list()
    {
        EquatableArray<int> empty = default;

        Assert.That(empty == []);
        Assert.That(empty, Is.Empty);
        Assert.That(empty.GetHashCode(), Is.EqualTo(new EquatableArray<int>([]).GetHashCode()));
    }

    [Test]
    public void Elements_come_in_order_by_every_way()
    {
        EquatableArray<int> list = [3, 1, 2];
        var looped = new List<int>();
        foreach (var item in list)
            looped.Add(item);

        Assert.That(looped, Is.EqualTo((int[])[3, 1, 2]));
        Assert.That(list.Select(item => item), Is.EqualTo(looped));
        Assert.That((list.Count, list[1], list.ToString()), Is.EqualTo((3, 1, "[3, 1, 2]")));
    }
}
