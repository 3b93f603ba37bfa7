using NUnit.Framework;
using PolyBalance.Host;
using PolyBalance.Host.Configuration;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Host;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class ConfigWatchTests : IDisposable
{
    private readonly ManualClock _clock = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<string> _reloads = [];
    private string? _text = "a";
    private string _taken = "a";
    private int _looks;
    private Task _watch = Task.CompletedTask;

    [SetUp]
    public void Start()
        => _watch = ConfigWatch.RunAsync(
            () =>
            {
                Interlocked.Increment(ref _looks);
                return Volatile.Read(ref _text);
            },
            () => _taken,
            () =>
            {
                _reloads.Add(_taken = _text!);
                return Task.CompletedTask;
            },
            _clock, _stop.Token);

    [TearDown]
    public async Task End()
    {
        await _stop.CancelAsync();
        await _watch;
    }

    public void Dispose() => _stop.Dispose();

    [Test]
    public async Task A_text_is_taken_once_it_has_stayed_the_same_for_a_look()
    {
        _text = "half";
        await LookAsync();
        _text = "whole";
        await LookAsync();
        Assert.That(_reloads, Is.Empty);
        await LookAsync();
        Assert.That(_reloads, Is.EqualTo(["whole"]));
        await LookAsync();
        await LookAsync();
        Assert.That(_reloads, Is.EqualTo(["whole"]));
    }

    [Test]
    public async Task A_file_that_is_gone_for_a_while_or_written_back_is_no_change()
    {
        _text = null;
        await LookAsync();
        await LookAsync();
        _text = "a";
        await LookAsync();
        await LookAsync();
        Assert.That(_reloads, Is.Empty);
    }

    private async Task LookAsync()
    {
        // The first look may be asked for before the watch waits for it.
        var before = Volatile.Read(ref _looks);
        _clock.Advance(ConfigWatch.Period);
        await Eventually.HoldsAsync(() => Volatile.Read(ref _looks) > before, () => "it has looked");
    }
}
