using PolyBalance.Backends;

namespace PolyBalance.Tests.Topology;

/// <summary>Puts backends into states that tests write as letters.</summary>
internal static class BackendMoods
{
    /// <summary>
    /// h: healthy, as they are; u: unhealthy; e: ejected once a snapshot is built; o, p, r: drained by the operator, by
    /// a probe, by a response.
    /// </summary>
    public static void Put(this Backend backend, char mood)
    {
        switch (mood)
        {
            case 'h':
                break;
            case 'u':
                backend.Judge(Verdict.Unhealthy);
                break;
            case 'e':
                backend.FailOften();
                break;
            case 'o':
                backend.BeginDrain(DrainCauses.Operator);
                break;
            case 'p':
                backend.BeginDrain(DrainCauses.Probe);
                break;
            case 'r':
                backend.BeginDrainByResponse();
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(mood), mood, "no such state");
        }
    }

    /// <summary>Ten attempts in a row are refused.</summary>
    public static void FailOften(this Backend backend)
    {
        for (var attempt = 0; attempt < 10; attempt++)
        {
            backend.TryBegin(isLastResort: false, out var admission);
            backend.Report(admission, new AttemptOutcome(FailureKind.ConnectRefused, 0, 0, backend.Now));
        }
    }
}
