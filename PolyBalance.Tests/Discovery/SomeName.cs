using PolyBalance.Discovery;

namespace PolyBalance.Tests.Discovery;

/// <summary>Names that tests write down.</summary>
internal static class SomeName
{
    /// <summary>The name of a text that is one.</summary>
    public static DnsName Of(string text)
        => DnsName.TryParse(text, out var name) ? name : throw new ArgumentException(text, nameof(text));
}
