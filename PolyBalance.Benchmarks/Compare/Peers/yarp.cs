using System.Globalization;
using System.Net;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.LoadBalancing;
using Yarp.ReverseProxy.Transforms;

// YARP as a peer of `compare`: one listener, two backends in turn, the fields that every other proxy sets, no log.
// Arguments: the port to listen on, then the addresses of the backends.
var builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
builder.WebHost.ConfigureKestrel(kestrel =>
{
    kestrel.AddServerHeader = false;
    kestrel.Limits.MaxRequestBodySize = null;
    kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(75);
    kestrel.Listen(IPAddress.Loopback, int.Parse(args[0], CultureInfo.InvariantCulture));
});

var destinations = args[1..].ToDictionary(
    address => address, address => new DestinationConfig { Address = $"http://{address}/" });
builder.Services.AddReverseProxy()
    .LoadFromMemory(
        [new RouteConfig { RouteId = "all", ClusterId = "web", Match = new RouteMatch { Path = "/{**rest}" } }],
        [
            new ClusterConfig
            {
                ClusterId = "web",
                LoadBalancingPolicy = LoadBalancingPolicies.RoundRobin,
                Destinations = destinations,
                HttpClient = new HttpClientConfig { MaxConnectionsPerServer = 65_536 },
                HttpRequest = new ForwarderRequestConfig
                {
                    Version = HttpVersion.Version11,
                    VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                },
            },
        ])
    .AddTransforms(transforms => transforms
        .AddOriginalHost()
        .AddXForwarded()
        .AddRequestTransform(request =>
        {
            request.ProxyRequest.Headers.TryAddWithoutValidation("X-Request-Id", request.HttpContext.TraceIdentifier);
            return ValueTask.CompletedTask;
        }));

var application = builder.Build();
application.MapReverseProxy();
application.Run();
