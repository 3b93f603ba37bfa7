namespace PolyBalance.Configuration;

/// <summary>The listener for operators. Config section <c>admin</c>.</summary>
public sealed record AdminOptions
{
    /// <summary>What applies when the section is absent.</summary>
    public static readonly AdminOptions Default = new();

    /// <summary>Where to listen.</summary>
    public Address Bind { get; init; } = Address.Tcp("127.0.0.1", 8081);

    /// <summary>
    /// The file with the bearer token; required when <see cref="Bind"/> is neither loopback nor a Unix socket.
    /// </summary>
    public string? TokenFile { get; init; }

    /// <summary>
    /// What is in that file, once somebody has read it: a token file is no part of the text of a configuration.
    /// </summary>
    public BearerToken? Token { get; init; }

    /// <summary>Reads the section.</summary>
    /// <param name="section">Where the keys are.</param>
    internal static AdminOptions BindFrom(ConfigSection section)
    {
        var options = new AdminOptions
        {
            Bind = section.Value("bind", Default.Bind, Address.ListenerForm, Default.Bind.ToString(),
                "Where operators connect.", text => Address.ParseListener(text, portMin: 1)),
            TokenFile = section.Text("token_file", null, ConfigName.FileForm,
                "The file with the bearer token; required off loopback.",
                ConfigName.File),
        };

        if (!options.Bind.IsLoopback && !section.IsWritten("token_file"))
        {
            section.Report.Error(section.PositionOf("bind"),
                $"`{options.Bind}` can be reached from other machines without a token",
                "write `token_file`, or bind to `127.0.0.1`");
        }

        return options;
    }
}
