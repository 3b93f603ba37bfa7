using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using PolyBalance.Configuration;

namespace PolyBalance.Admin;

/// <summary>What an operator asks or orders.</summary>
/// <param name="Method">GET, POST, PATCH or DELETE; HEAD counts as GET.</param>
/// <param name="Id">Which backend, from the path; empty where the path names none.</param>
/// <param name="Content">What was sent along: JSON, or nothing.</param>
/// <param name="IfMatch">The If-Match field; empty: there is none.</param>
internal sealed record AdminRequest(string Method, string Id, string Content, string IfMatch)
{
    /// <summary>What errors call the content.</summary>
    private const string Place = "request";

    /// <summary>
    /// Reads the content as the configuration is read: unknown keys, wrong values and missing ones are all reported.
    /// </summary>
    /// <typeparam name="T">What is read.</typeparam>
    /// <param name="options">What applies; some of it decides what may be sent.</param>
    /// <param name="bind">Reads the keys.</param>
    /// <param name="value">What was read.</param>
    /// <returns>The answer that says what is wrong; null: nothing is.</returns>
    public AdminAnswer? Read<T>(ProxyOptions options, Func<ConfigSection, T> bind, out T value)
    {
        value = default!;
        if (FindSyntaxError() is { } problem)
            return AdminAnswer.BadContent([new(Place, problem.Line, problem.Column, problem.Text, "send JSON")]);

        var report = new ConfigReport { AllowsExec = options.AllowsExec };
        var node = YamlReader.Read(Content, Place, environment: null, report);
        if (node is ConfigMap map)
            value = ConfigSection.Bind(map, "", report, bind).Value;
        else if (!report.HasErrors)
            report.Error(new(Place, 1, 1), "the content must be a JSON object", "send `{ … }`");
        return report.HasErrors ? AdminAnswer.BadContent(report.Errors) : null;
    }

    // The reader understands all of YAML, of which JSON is a part. Here only that part is meant.
    private (int Line, int Column, string Text)? FindSyntaxError()
    {
        try
        {
            using var document = JsonDocument.Parse(Content);
            return null;
        }
        catch (JsonException flaw)
        {
            var text = Content.Length == 0 ? "the content is missing" : "the content is no JSON";
            return ((int)(flaw.LineNumber ?? 0) + 1, (int)(flaw.BytePositionInLine ?? 0) + 1, text);
        }
    }
}

/// <summary>What the operator is told.</summary>
/// <param name="Status">The status code.</param>
/// <param name="Content">JSON; empty: there is none.</param>
/// <param name="Lines">Further whole field lines.</param>
/// <param name="Outcome">The same in a few words, for the log.</param>
internal sealed record AdminAnswer(int Status, byte[] Content, string Lines = "", string Outcome = "")
{
    /// <summary>Nothing to say but that it is done.</summary>
    public static AdminAnswer Done { get; } = new(204, []);

    /// <summary>An answer with JSON.</summary>
    public static AdminAnswer Of<T>(T content, JsonTypeInfo<T> type, int status = 200, string lines = "")
        => new(status, [.. JsonSerializer.SerializeToUtf8Bytes(content, type), (byte)'\n'], lines);

    /// <summary>Something was not done.</summary>
    /// <param name="status">The status code.</param>
    /// <param name="reason">The reason as a word.</param>
    /// <param name="sentence">The reason as a sentence.</param>
    /// <param name="lines">Further whole field lines.</param>
    public static AdminAnswer Refused(int status, string reason, string sentence, string lines = "")
        => Of(new ErrorAnswer(sentence, reason), AdminJson.Types.ErrorAnswer, status, lines) with
        {
            Outcome = sentence,
        };

    /// <summary>What was sent is wrong.</summary>
    public static AdminAnswer BadContent(IReadOnlyList<ConfigError> errors)
        => Mistaken(400, "bad_request", "The content is wrong", errors);

    /// <summary>The same for any text with mistakes.</summary>
    public static AdminAnswer Mistaken(int status, string reason, string sentence, IReadOnlyList<ConfigError> errors)
        => Of(
            new ErrorAnswer($"{sentence}: {errors[0]}", reason, [.. errors.Select(Describe)]),
            AdminJson.Types.ErrorAnswer, status) with
        {
            Outcome = errors[0].ToString(),
        };

    /// <summary>A mistake or a warning.</summary>
    public static MistakeAnswer Describe(ConfigError error)
        => new(error.File, error.Line, error.Column, error.Problem, error.Remedy, error.ToString());

    /// <summary>The field lines as they are sent.</summary>
    public byte[] LineBytes => Encoding.ASCII.GetBytes(Lines);
}
