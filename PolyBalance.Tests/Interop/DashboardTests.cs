using System.Globalization;
using System.Text.RegularExpressions;
using Deque.AxeCore.Playwright;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Playwright;
using NUnit.Framework;
using PolyBalance.Server;
using PolyBalance.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace PolyBalance.Tests.Interop;

/// <summary>The dashboard as people use it, in a real browser.</summary>
[Platform("Linux", Reason = "Debian's Chromium")]
internal sealed class DashboardTests
{
    private const string Token = "a-token-that-nobody-guesses";

    private readonly List<string> _complaints = [];
    private readonly List<string> _foreign = [];
    private Chromium _chromium = null!;
    private SampleBackend _a = null!;
    private SampleBackend _b = null!;
    private LiveGateway _gateway = null!;
    private IPage _page = null!;

    [OneTimeSetUp]
    public async Task StartBrowser() => _chromium = await Chromium.StartAsync();

    [OneTimeTearDown]
    public async Task EndBrowser()
    {
        if (_chromium is not null)
            await _chromium.DisposeAsync();
    }

    [SetUp]
    public void StartBackends()
    {
        _complaints.Clear();
        _foreign.Clear();
        _a = SampleBackend.Start(new() { Name = "a" }, NullLoggerFactory.Instance);
        _b = SampleBackend.Start(new() { Name = "b" }, NullLoggerFactory.Instance);
    }

    [TearDown]
    public async Task End()
    {
        if (_page is not null)
            await _page.Context.CloseAsync();
        await _gateway.DisposeAsync();
        await _a.DisposeAsync();
        await _b.DisposeAsync();
        Assert.That(_complaints, Is.Empty, "the browser's console");
        Assert.That(_foreign, Is.Empty, "requests to somebody else");
    }

    [Test]
    public async Task A_backend_that_dies_and_comes_back_is_seen_and_told_of()
    {
        await OpenAsync();
        await Expect(State("a")).ToHaveTextAsync("healthy");
        await Expect(_page.Locator("#readiness")).ToHaveTextAsync("ready");
        await AskAsync(6);
        await Expect(Tile("Client connections")).Not.ToHaveTextAsync("–");
        await PictureAsync("before");

        var port = _a.Port;
        await _a.DisposeAsync();
        await Expect(State("a")).ToHaveTextAsync("unhealthy");
        await Expect(Row("a")).ToContainTextAsync("probes fail: connect refused");
        await Expect(_page.Locator("#news")).ToHaveTextAsync(new Regex("a is unhealthy: probes fail"));
        await Expect(Row("a").Locator(".probes .failed").Last).ToBeVisibleAsync();
        await PictureAsync("during");

        _a = SampleBackend.Start(
            new() { Name = "a", Bind = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}") },
            NullLoggerFactory.Instance);
        await Expect(State("a")).ToHaveTextAsync("healthy");
        await Expect(_page.Locator("#news")).ToHaveTextAsync(new Regex("a is healthy"));
        await PictureAsync("after");
    }

    [Test]
    public async Task A_failed_request_appears_with_its_attempts()
    {
        await OpenAsync();
        await Expect(_page.Locator("#failures-none")).ToHaveTextAsync(new Regex("^Nothing failed"));

        // Probes have not noticed yet: the request finds out, and goes to the other one.
        await _a.DisposeAsync();
        await AskAsync(2);

        var row = _page.Locator("#failures tr").First;
        await Expect(row).ToContainTextAsync("answered after a retry");
        await Expect(row).ToContainTextAsync("connect_refused");
    }

    [Test]
    public async Task Drain_and_resume_are_orders_that_are_confirmed()
    {
        await OpenAsync();
        await _page.GetByRole(AriaRole.Button, new() { Name = "Drain a" }).ClickAsync();
        await _page.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).Last.ClickAsync();
        await Expect(State("a")).ToHaveTextAsync("healthy");

        await _page.GetByRole(AriaRole.Button, new() { Name = "Drain a" }).ClickAsync();
        await _page.Locator("#confirm-yes").ClickAsync();
        await Expect(State("a")).ToHaveTextAsync("draining");
        await Expect(Row("a")).ToContainTextAsync("the operator drains it");
        await Expect(_page.Locator("#about")).ToContainTextAsync("1 changed at run time");

        await _page.GetByRole(AriaRole.Button, new() { Name = "Resume a" }).ClickAsync();
        await Expect(State("a")).ToHaveTextAsync("healthy");
    }

    [Test]
    public async Task The_algorithm_is_chosen_by_keyboard()
    {
        await OpenAsync();
        var algorithm = _page.GetByLabel("Algorithm of web");
        await Expect(algorithm).ToHaveValueAsync("round_robin");

        await algorithm.SelectOptionAsync("peak_ewma");
        await _page.Keyboard.PressAsync("Tab");
        await _page.Locator("#confirm-yes").FocusAsync();
        await _page.Keyboard.PressAsync("Enter");

        await Expect(_page.Locator("#news")).ToHaveTextAsync("web uses peak_ewma");
        Assert.That(_gateway.Server.Store.Current.Options.Clusters[0].Algorithm, Is.EqualTo("peak_ewma"));
    }

    [Test]
    public async Task A_request_is_explained()
    {
        await OpenAsync();
        await _page.GetByLabel("Request", new() { Exact = true }).FillAsync("GET /cart");
        await _page.GetByRole(AriaRole.Button, new() { Name = "Explain" }).ClickAsync();

        var answer = _page.Locator("#explanation");
        await Expect(answer.Locator("strong")).ToHaveTextAsync(new Regex("^It goes to [ab]: round_robin picks it"));
        await Expect(answer.Locator("tbody tr")).ToHaveCountAsync(2);
    }

    [Test]
    public async Task With_a_token_the_page_asks_for_it_and_shows_nothing_before()
    {
        await OpenAsync(token: Token);
        await Expect(_page.Locator("#token")).ToBeVisibleAsync();
        await Expect(_page.Locator("#clusters section")).ToHaveCountAsync(0);

        await _page.Locator("#token-value").FillAsync("another-token-that-is-wrong");
        await _page.GetByRole(AriaRole.Button, new() { Name = "Use it" }).ClickAsync();
        await Expect(_page.Locator("#token-why")).ToHaveTextAsync(new Regex("^That token is not the gateway's"));

        await _page.Locator("#token-value").FillAsync(Token);
        await _page.Keyboard.PressAsync("Enter");
        await Expect(State("a")).ToHaveTextAsync("healthy");

        // The browser itself says that it got 401; nobody else may complain.
        Assert.That(_complaints, Has.All.Contains("401 (Unauthorized)"));
        _complaints.Clear();
    }

    [TestCase(ColorScheme.Light, 1360)]
    [TestCase(ColorScheme.Dark, 1360)]
    [TestCase(ColorScheme.Light, 390)]
    public async Task Everybody_can_use_it(ColorScheme scheme, int width)
    {
        await OpenAsync(scheme, width);
        await Expect(State("a")).ToHaveTextAsync("healthy");
        await _a.DisposeAsync();
        await AskAsync(2);
        await Expect(State("a")).ToHaveTextAsync("unhealthy");
        await _page.GetByRole(AriaRole.Button, new() { Name = "Explain" }).ClickAsync();
        await Expect(_page.Locator("#explanation tbody tr")).ToHaveCountAsync(2);

        var found = await _page.RunAxe();
        Assert.That(found.Violations.Select(one => $"{one.Id}: {one.Help}: {one.Nodes[0].Html}"), Is.Empty);
        var overhang = await _page.EvaluateAsync<int>("document.documentElement.scrollWidth - innerWidth");
        Assert.That(overhang, Is.LessThanOrEqualTo(0), "the page is wider than the screen");
        await PictureAsync($"{scheme}-{width}");
    }

    [Test]
    public async Task A_gateway_that_is_away_is_told_of_and_found_again()
    {
        await OpenAsync();
        await Expect(State("a")).ToHaveTextAsync("healthy");

        var admin = _gateway.Server.AdminAddress!;
        await _gateway.DisposeAsync();
        await Expect(_page.Locator("#notice")).ToContainTextAsync("No answer from the gateway");
        await Expect(_page.Locator("#readiness")).ToHaveTextAsync("connecting");

        _gateway = await LiveGateway.StartAsync(Configuration(admin));
        await Expect(_page.Locator("#readiness")).ToHaveTextAsync("ready");
        await Expect(_page.Locator("#notice")).ToBeHiddenAsync();

        // The browser itself says that nobody was there.
        Assert.That(_complaints, Has.All.Match("ERR_(CONNECTION_RE(FUSED|SET)|INCOMPLETE_CHUNKED_ENCODING)"));
        _complaints.Clear();
    }

    private string Configuration(string admin, string token = "") =>
        $$"""
        listeners: [ { bind: "127.0.0.1:1" } ]
        admin: { bind: "{{admin}}"{{token}} }
        clusters:
          web:
            health: { path: /healthz, interval: 200ms, timeout: 200ms }
            backends: [ { address: "{{_a.Address}}", name: a }, { address: "{{_b.Address}}", name: b } ]
        """;

    private async Task OpenAsync(ColorScheme scheme = ColorScheme.Light, int width = 1360, string? token = null)
    {
        _gateway = await LiveGateway.StartAsync(
            Configuration("127.0.0.1:9", token is null ? "" : ", token_file: token"), token);
        _page = await _chromium.OpenAsync(width, height: 900, scheme);
        var origin = $"http://{_gateway.Server.AdminAddress}";
        _page.Console += (_, message) => Complain(message.Type is "error" or "warning", message.Text);
        _page.PageError += (_, error) => Complain(isComplaint: true, error);
        _page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(origin, StringComparison.Ordinal))
                _foreign.Add(request.Url);
        };
        await _page.GotoAsync($"{origin}/admin");
    }

    private void Complain(bool isComplaint, string text)
    {
        if (isComplaint)
            _complaints.Add(text);
    }

    private ILocator Row(string backend)
        => _page.Locator(".backends tbody tr").Filter(new() { Has = _page.Locator("th", new() { HasText = backend }) });

    private ILocator State(string backend) => Row(backend).Locator(".badge");

    private ILocator Tile(string title)
        => _page.Locator("#tiles > div").Filter(new() { HasText = title }).Locator("dd");

    private async Task AskAsync(int times)
    {
        for (var time = 0; time < times; time++)
        {
            using var response = await _gateway.GetAsync("/");
            Assert.That((int)response.StatusCode, Is.EqualTo(200));
        }
    }

    // Kept with the results, for whoever wants to see what the test has seen.
    private async Task PictureAsync(string name)
    {
        var path = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"dashboard-{name}.png");
        await _page.ScreenshotAsync(new() { Path = path, FullPage = true });
        TestContext.AddTestAttachment(path);
    }
}
