using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Interop;

/// <summary>What the gateway under test moves bytes with: a value of <c>transport</c> in its file.</summary>
internal static class Transports
{
    /// <summary>The portable one.</summary>
    public const string Sockets = "sockets";

    /// <summary>The one of Linux.</summary>
    public const string Ring = "io_uring";

    /// <summary>What an operator gets who says nothing: for tests whose matter lies above the transport.</summary>
    public const string Auto = "auto";

    /// <summary>Those that every test runs over which shows how the gateway gets along with other programs.</summary>
    public static readonly string[] All = [Sockets, Ring];

    /// <summary>Ends the test with the reason where the system does not allow a transport.</summary>
    public static async Task RequireAsync(string transport)
    {
        if (transport == Ring)
            await RingOrNone.Start(TimeProvider.System, loops: 1).DisposeAsync();
    }
}
