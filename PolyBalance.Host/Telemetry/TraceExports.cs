using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using PolyBalance.Configuration;
using PolyBalance.Telemetry;

namespace PolyBalance.Host.Telemetry;

/// <summary>Where spans are sent now, and where a reload has them sent.</summary>
/// <remarks>
/// One caller at a time. What the section does not say, the standard
/// variables of OTLP do: <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>, <c>_PROTOCOL</c>, <c>_HEADERS</c>, <c>_TIMEOUT</c>,
/// <c>OTEL_SERVICE_NAME</c>, <c>OTEL_RESOURCE_ATTRIBUTES</c>.
/// </remarks>
/// <param name="logger">Hears where spans go, and of those that are lost.</param>
internal sealed class TraceExports(ILogger logger) : IDisposable
{
    private const string Product = "polybalance";
    private const string TracesPath = "/v1/traces";

    private readonly SpanLosses _losses = new(logger);
    private TracingOptions? _options;
    private TracerProvider? _provider;
    private SpanQueue? _queue;

    /// <summary>Spans lost since the start. Any thread.</summary>
    public long Dropped => _losses.Total;

    /// <summary>How long <see cref="Dispose"/> may take to send what waits.</summary>
    public TimeSpan FlushTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Sends spans where the options say from now on; null: nowhere.</summary>
    public void Adopt(TracingOptions? options)
    {
        // What Core decides with is none of ours.
        if (IsSameExport(options, _options))
        {
            _options = options;
            return;
        }

        var (provider, queue) = (_provider, _queue);
        _options = options;
        (_provider, var next) = options is null ? default : Open(options);

        // Both hear of every span: one of them takes it.
        if (queue is not null)
            queue.IsOpen = false;
        if (next is not null)
            next.IsOpen = true;
        _queue = next;
        if (options is null)
            HostLog.TracesEnd(logger);
        if (provider is not null)
            _ = Task.Run(() => Close(provider));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_provider is { } provider)
            Close(provider);
        _provider = null;
    }

    private static bool IsSameExport(TracingOptions? one, TracingOptions? other)
        => one is null || other is null
            ? one is null && other is null
            : one.Collector == other.Collector && one.Protocol == other.Protocol && one.Name == other.Name;

    private (TracerProvider Provider, SpanQueue Queue) Open(TracingOptions options)
    {
        var export = ExportOf(options);
        var queue = new SpanQueue(new OtlpTraceExporter(export), export.Endpoint.ToString(), _losses);
        var provider = Sdk.CreateTracerProviderBuilder()
            .AddSource(SpanSource.Name)
            .SetSampler(new AlwaysOnSampler())      // only what is recorded comes here at all
            .SetResourceBuilder(ResourceOf(options))
            .AddProcessor(queue)
            .Build();
        HostLog.TracesBegin(
            logger, export.Endpoint.ToString(), export.Protocol == OtlpExportProtocol.Grpc ? "gRPC" : "HTTP",
            $"{options.Sample} of the exchanges");
        return (provider, queue);
    }

    private static OtlpExporterOptions ExportOf(TracingOptions options)
    {
        var export = new OtlpExporterOptions();
        if (options.Protocol is { } protocol)
            export.Protocol = protocol == TracingProtocol.Grpc
                ? OtlpExportProtocol.Grpc
                : OtlpExportProtocol.HttpProtobuf;
        if (options.Collector is { } collector)
            export.Endpoint = export.Protocol == OtlpExportProtocol.Grpc ? collector : WithPath(collector);
        return export;
    }

    // Users write the collector's address; where on it traces go is laid down (OTLP §Endpoint URLs).
    private static Uri WithPath(Uri collector)
        => collector.AbsolutePath.EndsWith(TracesPath, StringComparison.Ordinal)
            ? collector
            : new UriBuilder(collector) { Path = collector.AbsolutePath.TrimEnd('/') + TracesPath }.Uri;

    private static ResourceBuilder ResourceOf(TracingOptions options)
    {
        var resource = ResourceBuilder.CreateEmpty()
            .AddService(Product, serviceVersion: ProductVersion.Text)
            .AddTelemetrySdk()
            .AddEnvironmentVariableDetector();
        return options.Name is { } name ? resource.AddService(name, serviceVersion: ProductVersion.Text) : resource;
    }

    private void Close(TracerProvider provider)
    {
        provider.Shutdown((int)FlushTimeout.TotalMilliseconds);
        provider.Dispose();
    }
}
