namespace PolyBalance.Configuration;

/// <summary>What can be wrong between sections that are each in order.</summary>
internal static class CrossChecks
{
    /// <summary>No listener without an address of its own; the admin listener counts.</summary>
    /// <param name="root">The top level.</param>
    /// <param name="listeners">All listeners that could be read.</param>
    /// <param name="admin">The admin listener, unless it is off.</param>
    public static void Listeners(ConfigSection root, List<Bound<ListenerOptions>> listeners, AdminOptions? admin)
    {
        for (var i = 0; i < listeners.Count; i++)
        {
            var (listener, section, _) = listeners[i];
            var at = section.PositionOf("bind");
            var first = listeners.FindIndex(0, i, other => other.Value.Bind.Overlaps(listener.Bind));
            if (first >= 0)
            {
                root.Report.Error(at,
                    $"`{listener.Bind}` is already taken by the listener `{listeners[first].Value.Bind}` "
                    + listeners[first].Section.Place, "choose another port, or remove one of the two");
            }
            else if (admin is not null && admin.Bind.Overlaps(listener.Bind))
            {
                root.Report.Error(at, $"`{listener.Bind}` is already taken by the admin listener `{admin.Bind}`",
                    "choose another port, give `admin` another `bind`, or write `admin: off`");
            }
        }
    }

    /// <summary>Every route leads to a cluster, and a request's cluster is never a guess.</summary>
    /// <param name="root">The top level, all of it read.</param>
    /// <param name="routes">All routes that could be read.</param>
    /// <param name="clusters">All clusters that could be read.</param>
    public static void Routes(
        ConfigSection root, List<Bound<RouteOptions>> routes, List<Bound<ClusterOptions>> clusters)
    {
        if (clusters.Count > 1 && (root.IsAbsent("routes") || root.IsEmptyList("routes")))
        {
            root.Report.Error(clusters[1].Section.At,
                "there is more than one cluster, and no routes choose between them",
                "write `routes`, or keep one cluster");
        }

        // A cluster that could not be read is named all the same. Without any there is an error already.
        var names = root.KeysOf("clusters");
        for (var i = 0; i < routes.Count; i++)
        {
            var (route, section, isSound) = routes[i];
            if (names.Count > 0 && !names.Contains(route.Cluster))
            {
                root.Report.Error(section.PositionOf("cluster"), $"there is no cluster {Flaw.Show(route.Cluster)}",
                    NearestName.Suggest(route.Cluster, names, "write one of"));
            }

            // What a route matches whose keys are wrong, nobody knows yet.
            if (!isSound)
                continue;

            var first = routes.FindIndex(0, i, other => other.IsSound && other.Value.Covers(route));
            if (first >= 0)
            {
                root.Report.Warning(section.At,
                    $"no request gets to this route: the one {routes[first].Section.Place} takes them all",
                    "put it before that one, or remove it");
            }
        }
    }
}
