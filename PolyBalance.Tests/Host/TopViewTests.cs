using System.Text.Json;
using System.Text.RegularExpressions;
using NUnit.Framework;
using PolyBalance.Host;
using PolyBalance.Host.Commands;

namespace PolyBalance.Tests.Host;

/// <summary>What <c>polybalance top</c> draws of a state.</summary>
internal sealed class TopViewTests
{
    private const string State = """
        {
          "time": "2026-01-01T00:05:00Z", "started": "2026-01-01T00:00:00Z", "version": "1", "generation": 3,
          "runtime_changes": 0, "not_ready": [], "clients": 2, "in_flight": 1, "retries_per_second": 0,
          "overhead_p50_ms": 0.05, "errors_kept": 0,
          "traffic": { "per_second": 10, "failures_per_second": 1, "latency_p50_ms": 2, "latency_p99_ms": 9 },
          "clusters": [ {
            "name": "[web]", "algorithm": "round_robin", "waiting": 0,
            "backends": [ {
              "backend": {
                "name": "a", "address": "10.0.0.1:80", "state": "unhealthy", "why": "probes fail", "eligible": false,
                "in_flight": 1, "weight": 1, "share_reached": 100,
                "pool": { "open": 1, "idle": 0, "learned_idle_limit_ms": null }
              },
              "traffic": { "per_second": 10, "failures_per_second": 1, "latency_p50_ms": 2, "latency_p99_ms": 9 },
              "history": [ true, false ]
            } ]
          } ]
        }
        """;

    private TopView _view = null!;

    [SetUp]
    public void Take()
    {
        using var state = JsonDocument.Parse(State);
        _view = new();
        _view.Take(state.RootElement.Clone(), failures: null);
    }

    [Test]
    public void Colours_are_left_out_where_they_are_not_wanted()
    {
        Assert.That(_view.Frame(120, 40, "", hasColours: true), Does.Match(@"\u001b\[[0-9;]*m"));
        Assert.That(_view.Frame(120, 40, "", hasColours: false), Does.Not.Match(@"\u001b\[[0-9;]*m"));
    }

    [TestCase("\"backup\": true,", "healthy", ExpectedResult = true)]
    [TestCase("\"backup\": true,", "unhealthy", ExpectedResult = false)]
    [TestCase("\"backup\": false,", "healthy", ExpectedResult = false)]
    [TestCase("", "healthy", ExpectedResult = false, TestName = "an older gateway knows of no backups")]
    public bool Backups_that_stand_by_are_told_from_those_that_are_missing(string key, string state)
    {
        var text = State.Replace("\"unhealthy\",", $"\"{state}\", {key}", StringComparison.Ordinal);
        using var parsed = JsonDocument.Parse(text);
        _view.Take(parsed.RootElement.Clone(), failures: null);

        var frame = _view.Frame(120, 40, "", hasColours: false);
        Assert.That(frame, Does.Contain("0 of 1 eligible"));
        return frame.Contains("0 of 1 eligible, 1 standing by", StringComparison.Ordinal);
    }

    [TestCase(60, 8)]
    [TestCase(90, 20)]
    [TestCase(200, 60)]
    public void A_frame_is_no_larger_than_the_terminal(int width, int height)
    {
        var frame = Regex.Replace(_view.Frame(width, height, "", hasColours: true), @"\u001b\[[0-9;?]*[A-Za-z]", "");
        var lines = frame.Split("\r\n");

        Assert.That(lines, Has.Length.LessThanOrEqualTo(height));
        Assert.That(lines, Has.All.Length.LessThanOrEqualTo(width));
        Assert.That(frame, Does.Contain("[web]"), "a name is no markup");
    }
}
