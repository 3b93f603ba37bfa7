using Microsoft.Playwright;

namespace PolyBalance.Tests.Interop;

/// <summary>A real browser, without a window. One for a fixture; each page has a profile of its own.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    // It runs where tests run, which may be as root and without a network.
    private static readonly string[] Arguments =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync",
    ];

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private Chromium(IPlaywright playwright, IBrowser browser) => (_playwright, _browser) = (playwright, browser);

    /// <summary>Starts the browser of this machine; none is downloaded.</summary>
    public static async Task<Chromium> StartAsync()
    {
        var program = Programs.Find("chromium");
        var playwright = await Playwright.CreateAsync();
        return new(
            playwright,
            await playwright.Chromium.LaunchAsync(new() { ExecutablePath = program, Args = Arguments }));
    }

    /// <summary>A page on a screen of this size.</summary>
    public async Task<IPage> OpenAsync(int width, int height, ColorScheme scheme)
    {
        var context = await _browser.NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = height },
            ColorScheme = scheme,
        });
        return await context.NewPageAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
