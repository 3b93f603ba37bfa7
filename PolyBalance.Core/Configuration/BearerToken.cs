using System.Security.Cryptography;
using System.Text;

namespace PolyBalance.Configuration;

/// <summary>The secret that operators show: RFC 6750. Only its digest is kept.</summary>
/// <remarks>Immutable; any thread. No message shows it.</remarks>
public sealed class BearerToken : IEquatable<BearerToken>
{
    /// <summary>Shorter ones could be guessed. Unit: characters.</summary>
    public const int LengthMin = 16;

    private readonly byte[] _digest;

    private BearerToken(byte[] digest) => _digest = digest;

    /// <summary>Reads the text of a file with a token: one line of visible ASCII characters.</summary>
    /// <param name="text">The text; white space around the token does not count.</param>
    /// <param name="problem">What is wrong, when the result is null.</param>
    public static BearerToken? Parse(string text, out string problem)
    {
        ArgumentNullException.ThrowIfNull(text);
        var token = text.Trim();
        problem = token.Length == 0 ? "there is no token in it"
            : token.AsSpan().ContainsAnyExceptInRange('!', '~') ? "a token is one line of visible ASCII characters"
            : token.Length < LengthMin ? $"a token of {token.Length} characters can be guessed"
            : "";
        return problem.Length > 0 ? null : new(SHA256.HashData(Encoding.ASCII.GetBytes(token)));
    }

    /// <summary>Whether somebody knows it. Takes equally long for every wrong one.</summary>
    /// <param name="shown">What was shown, of any length.</param>
    public bool Matches(ReadOnlySpan<byte> shown)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(shown, digest);
        return CryptographicOperations.FixedTimeEquals(digest, _digest);
    }

    /// <inheritdoc/>
    public bool Equals(BearerToken? other) => other is not null && _digest.AsSpan().SequenceEqual(other._digest);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as BearerToken);

    /// <inheritdoc/>
    public override int GetHashCode() => BitConverter.ToInt32(_digest);
}
