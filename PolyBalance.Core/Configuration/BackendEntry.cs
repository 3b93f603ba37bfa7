namespace PolyBalance.Configuration;

/// <summary>An element of <c>backends</c>: one backend, or a name for any number of them.</summary>
/// <param name="Backend">The backend; null: it is a name.</param>
/// <param name="LookUp">The name; null: it is a backend.</param>
internal sealed record BackendEntry(BackendOptions? Backend, LookUpOptions? LookUp)
{
    private static readonly string[] Ways = ["address", "dns", "srv"];

    /// <summary>Reads an element.</summary>
    /// <param name="section">Where the keys are.</param>
    /// <param name="inherited">The probing of its cluster.</param>
    public static BackendEntry? BindFrom(ConfigSection section, HealthOptions? inherited)
    {
        section.RequireOneOf(Ways, "write `address: \"10.0.0.1:8080\"`, or a name as `dns` or `srv`");
        var address = section.Value(
            "address", null, Address.BackendForm, null, BackendOptions.AddressPurpose, Some(Address.ParseBackend));
        var host = section.Value(
            "dns", null, LookUpName.HostForm, null,
            "A name and a port: each address that the name stands for is a backend.", Some(LookUpName.ParseHost));
        var service = section.Value(
            "srv", null, LookUpName.ServiceForm, null,
            "A service: each place that its SRV records name is a backend.", Some(LookUpName.ParseService));
        var keys = EntryKeys.BindFrom(section, inherited);

        return address is not null ? new(BackendOptions.Of(address, keys), null)
            : host is not null ? new(null, Of(new(LookUpKind.Addresses, host.Name), host.Port, keys))
            : service is not null ? new(null, Of(new(LookUpKind.Places, service), 0, keys))
            : null;
    }

    private static LookUpOptions Of(LookUpKey key, int port, EntryKeys keys) => new()
    {
        Key = key,
        Port = port,
        Prefix = keys.Name,
        Weight = keys.Weight,
        IsDrained = keys.IsDrained,
        IsBackup = keys.IsBackup,
        Health = keys.Health,
    };

    private static Func<string, Parsed<T?>> Some<T>(Func<string, Parsed<T>> parse)
        where T : class
        => text =>
        {
            var parsed = parse(text);
            return new(parsed.Value, parsed.Flaw);
        };
}
