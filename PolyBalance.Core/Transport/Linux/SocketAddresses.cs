using System.Buffers.Binary;
using System.Net;

namespace PolyBalance.Transport.Linux;

/// <summary>Addresses as the kernel writes them: sockaddr_in(7type), sockaddr_in6.</summary>
internal static class SocketAddresses
{
    private const ushort Internet4 = 2;         // AF_INET
    private const ushort Internet6 = 10;        // AF_INET6

    /// <summary>An IP address and a port; null for every other family.</summary>
    public static IPEndPoint? Read(ReadOnlySpan<byte> address)
    {
        var family = address.Length < 2 ? (ushort)0 : BitConverter.ToUInt16(address);
        if (family == Internet4 && address.Length >= 8)
            return new(new IPAddress(address.Slice(4, 4)), Port(address));
        if (family != Internet6 || address.Length < 28)
            return null;

        var scope = BitConverter.ToUInt32(address[24..]);
        return new(new IPAddress(address.Slice(8, 16), scope), Port(address));
    }

    private static ushort Port(ReadOnlySpan<byte> address) => BinaryPrimitives.ReadUInt16BigEndian(address[2..]);
}
