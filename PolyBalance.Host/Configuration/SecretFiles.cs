using PolyBalance.Configuration;

namespace PolyBalance.Host.Configuration;

/// <summary>Reads the files with secrets that a configuration names: signing keys, and the operators' token.</summary>
internal static class SecretFiles
{
    /// <summary>Longer files are refused. Unit: bytes.</summary>
    public const int BytesMax = 64 * 1024;

    private const UnixFileMode ReadableByOthers = UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Puts the secrets into the options; what is wrong with a file is an error like any other.</summary>
    /// <param name="parsed">What the text of the configuration says.</param>
    /// <param name="folder">Where relative paths start.</param>
    public static ConfigResult ReadAll(ConfigResult parsed, string folder)
    {
        if (parsed.Options is not { } options)
            return parsed;

        var known = new Dictionary<string, SigningKeys?>(StringComparer.Ordinal);
        var errors = new List<ConfigError>();
        var warnings = new List<ConfigError>(parsed.Warnings);
        var clusters = new List<ClusterOptions>();
        foreach (var cluster in options.Clusters)
        {
            clusters.Add(cluster);
            if (cluster.Sticky is not { KeyFile: { } name } sticky)
                continue;

            if (!known.TryGetValue(name, out var keys))
                known[name] = keys = ReadKeys(name, Path.Combine(folder, name), errors, warnings);
            clusters[^1] = cluster with { Sticky = sticky with { Keys = keys } };
        }

        var admin = options.Admin;
        if (admin is { TokenFile: { } file })
            admin = admin with { Token = ReadToken(file, Path.Combine(folder, file), errors, warnings) };

        return errors.Count > 0
            ? new() { Errors = errors, Warnings = warnings }
            : new() { Options = options with { Admin = admin, Clusters = [.. clusters] }, Warnings = warnings };
    }

    private static SigningKeys? ReadKeys(
        string name, string path, List<ConfigError> errors, List<ConfigError> warnings)
    {
        const string Remedy = "write a key into it, as with `openssl rand -base64 32`, or leave `key_file` out";
        if (Read(name, path, Remedy, errors, warnings) is not { } text)
            return null;

        if (!SigningKeys.TryParse(text, name, out var keys, out var flaws))
            errors.AddRange(flaws);
        return keys;
    }

    private static BearerToken? ReadToken(
        string name, string path, List<ConfigError> errors, List<ConfigError> warnings)
    {
        const string Remedy = "write a token into it, as with `openssl rand -base64 32`";
        if (Read(name, path, Remedy, errors, warnings) is not { } text)
            return null;

        var token = BearerToken.Parse(text, out var problem);
        if (token is null)
            errors.Add(new(name, 0, 0, problem, Remedy));
        return token;
    }

    private static string? Read(
        string name, string path, string remedy, List<ConfigError> errors, List<ConfigError> warnings)
    {
        var isOpenToOthers = false;
        var text = TextFile.TryRead(
            () =>
            {
                isOpenToOthers = !OperatingSystem.IsWindows()
                    && (File.GetUnixFileMode(path) & ReadableByOthers) != UnixFileMode.None;
                return File.OpenRead(path);
            },
            BytesMax, out var problem);
        if (text is null)
        {
            errors.Add(new(name, 0, 0, problem, remedy));
            return null;
        }

        if (isOpenToOthers)
        {
            warnings.Add(new(name, 0, 0, "users other than its owner can read this secret",
                "take that away with `chmod 600`"));
        }

        return text;
    }
}
