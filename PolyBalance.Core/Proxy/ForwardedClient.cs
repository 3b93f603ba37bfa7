using System.Net;
using System.Text;
using PolyBalance.Http;

namespace PolyBalance.Proxy;

/// <summary>Finds the client behind trusted proxies, for the record.</summary>
internal static class ForwardedClient
{
    /// <summary>
    /// The rightmost address of X-Forwarded-For that is not itself a trusted proxy's; the peer's when there is none.
    /// </summary>
    /// <param name="request">What the peer sent.</param>
    /// <param name="peer">Who sent it: a trusted proxy.</param>
    /// <param name="rules">Whom to trust.</param>
    public static string Find(RequestHead request, IPAddress peer, ClientRules rules)
    {
        var client = peer;
        for (var line = request.Fields.Count - 1; line >= 0; line--)
        {
            if (request.Fields.Known(line) != KnownField.XForwardedFor)
                continue;

            var rest = Encoding.Latin1.GetString(request.Fields.Value(line)).AsSpan();
            while (!rest.IsEmpty)
            {
                var comma = rest.LastIndexOf(',');
                // What cannot be read ends the chain: nothing to its left can be believed.
                if (!IPAddress.TryParse(rest[(comma + 1)..].Trim(), out var address))
                    return client.ToString();

                client = address;
                if (!rules.Trusts(address))
                    return client.ToString();
                rest = comma < 0 ? [] : rest[..comma];
            }
        }

        return client.ToString();
    }
}
