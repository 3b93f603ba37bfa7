namespace PolyBalance.Tests.Documents;

/// <summary>Commands of the documents that no test can type, each with what shows instead that it works.</summary>
internal static class OtherwiseShown
{
    /// <summary>What begins the name of a step: the rest is a text of <c>.ci/run</c>.</summary>
    public const string Step = ".ci/run: ";

    private const string Installs = "changes the machine that it runs on";
    private const string Builds = "takes minutes, and would build what runs this test";
    private const string NeedsSystemd = "needs a machine that systemd has booted";
    private const string NeedsDocker = "needs Docker, and images from the network";
    private const string NeedsCluster = "needs a Kubernetes cluster";

    /// <summary>
    /// The command as it is written, why it is not typed, and the test or the step of CI that does the same.
    /// </summary>
    public static readonly (string Command, string Why, string ShownBy)[] All =
    [
        ("dotnet run -c Release --project PolyBalance.Host -- demo", Builds,
            "ProcessTests.The_demo_shows_lines_until_it_is_interrupted"),
        ("dotnet build -c Release", Builds, Step + "dotnet build -c Release"),
        ("dotnet test -c Release", Builds, Step + "dotnet test -c Release"),
        ("bash .ci/run", "runs this test", Step + "#!/usr/bin/env bash"),
        ("dotnet run -c Release --project PolyBalance.Benchmarks -- --help", Builds,
            "CommandTests.The_benchmarks_say_what_they_can"),
        ("dotnet run -c Release --project PolyBalance.Benchmarks -- compare --quick", Builds,
            "CompareRunTests.Nginx_haproxy_and_this_gateway_are_measured_side_by_side"),

        ("install artifacts/publish/polybalance /usr/bin/polybalance", Installs,
            "UpgradeTests.The_file_may_be_replaced_while_it_runs_by_one_that_does_not_even_start"),
        ("polybalance upgrade", "leaves a process behind that the shell does not know",
            "UpgradeTests.Whoever_comes_while_it_is_upgraded_is_served_and_counted"),
        (".build/publish", Builds, Step + "dotnet publish PolyBalance.Host -c Release"),
        ("deploy/debian/build.sh artifacts/publish/polybalance artifacts", "packs what .build/publish has made",
            "DebianPackageTests.It_holds_the_executable_and_all_that_goes_with_it"),
        ("apt install ./artifacts/polybalance_0.1.0_amd64.deb", Installs,
            "DebianPackageTests.It_holds_the_executable_and_all_that_goes_with_it"),
        ("systemctl enable --now polybalance", NeedsSystemd,
            "SystemdUnitTests.Systemd_understands_every_line_of_the_units"),
        ("systemctl enable --now polybalance.socket", NeedsSystemd,
            "SystemdUnitTests.The_socket_unit_listens_where_the_configuration_of_the_package_does"),
        ("systemctl restart polybalance", NeedsSystemd,
            "SystemdUnitTests.Systemd_understands_every_line_of_the_units"),

        ("docker build -f deploy/Dockerfile --build-arg REVISION=\"$(git rev-parse HEAD)\" -t polybalance:0.1.0 .",
            NeedsDocker, "ImageTests.What_is_copied_exists_and_is_let_through_to_the_build"),
        ("docker run --read-only --cap-drop ALL --security-opt no-new-privileges -p 8000:8000 "
            + "-v /etc/polybalance:/etc/polybalance:ro polybalance:0.1.0",
            NeedsDocker, "ImageTests.It_runs_as_a_numeric_user_and_ends_by_the_signal_that_drains"),
        ("docker compose -f deploy/compose.yaml up --build --wait", NeedsDocker,
            "ComposeTests.Every_service_is_hardened_and_says_whether_it_is_well"),
        ("docker compose -f deploy/compose.yaml down", NeedsDocker,
            "ComposeTests.The_grace_period_is_delay_and_drain_and_the_end"),

        ("kubectl apply -k deploy/kubernetes", NeedsCluster,
            "ManifestTests.The_kustomization_takes_every_manifest_and_no_other"),
        ("kubectl -n polybalance exec deploy/polybalance -- /polybalance status", NeedsCluster,
            "ManifestTests.Everything_that_selects_pods_finds_them"),
        ("curl http://NODE:30080/", NeedsCluster, "ManifestTests.Everything_that_selects_pods_finds_them"),
    ];
}
