using System.Collections;
using System.Runtime.CompilerServices;

namespace PolyBalance.Configuration;

/// <summary>
/// An immutable list with equality by value, so that records of options that hold lists compare by value too.
/// </summary>
/// <remarks>The default value is the empty list.</remarks>
/// <typeparam name="T">What it holds; compared with its own equality.</typeparam>
[CollectionBuilder(typeof(EquatableArray), nameof(EquatableArray.Create))]
public readonly struct EquatableArray<T> : IEquatable<EquatableArray<T>>, IReadOnlyList<T>
{
    private readonly T[]? _items;

    internal EquatableArray(T[] items) => _items = items;

    /// <summary>How many elements there are.</summary>
    public int Count => _items?.Length ?? 0;

    /// <summary>The element at a 0-based index.</summary>
    /// <param name="index">Below <see cref="Count"/>.</param>
    public T this[int index] => AsSpan()[index];

    /// <summary>The elements without copying, for loops that allocate nothing.</summary>
    public ReadOnlySpan<T> AsSpan() => _items;

    /// <summary>Lets <c>foreach</c> run without allocation.</summary>
    public ReadOnlySpan<T>.Enumerator GetEnumerator() => AsSpan().GetEnumerator();

    /// <inheritdoc/>
    public bool Equals(EquatableArray<T> other) => AsSpan().SequenceEqual(other.AsSpan());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is EquatableArray<T> other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var item in this)
            hash.Add(item);

        return hash.ToHashCode();
    }

    /// <summary>The elements, for messages.</summary>
    public override string ToString() => $"[{string.Join(", ", _items ?? [])}]";

    IEnumerator<T> IEnumerable<T>.GetEnumerator() => ((IEnumerable<T>)(_items ?? [])).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => (_items ?? []).GetEnumerator();

    /// <summary>Equality by value.</summary>
    /// <param name="left">One list.</param>
    /// <param name="right">The other.</param>
    public static bool operator ==(EquatableArray<T> left, EquatableArray<T> right) => left.Equals(right);

    /// <summary>Inequality by value.</summary>
    /// <param name="left">One list.</param>
    /// <param name="right">The other.</param>
    public static bool operator !=(EquatableArray<T> left, EquatableArray<T> right) => !left.Equals(right);
}

/// <summary>Makes lists with equality by value; what a collection expression calls.</summary>
public static class EquatableArray
{
    /// <summary>Copies the elements.</summary>
    /// <typeparam name="T">What the list holds.</typeparam>
    /// <param name="items">The elements in their order.</param>
    public static EquatableArray<T> Create<T>(ReadOnlySpan<T> items) => new(items.ToArray());
}
