using System.Globalization;
using System.Security;
using System.Text;

namespace PolyBalance.Benchmarks.Compare.Figures;

/// <summary>
/// Draws a comparison as SVG: for CPU per request, throughput and p99 one group of bars per load, each bar the ratio to
/// the better of nginx and HAProxy. Readable on light and dark grounds.
/// </summary>
internal static class ComparisonPlot
{
    private const double RatioMax = 2.5;
    private const int Left = 56;
    private const int BarWidth = 14;
    private const int GroupGap = 26;
    private const int GroupMin = 100;
    private const int PanelHeight = 200;
    private const int PanelGap = 76;
    private const int Top = 108;
    private const int WidthMin = 760;
    private const int LegendColumn = 190;

    private const string Style =
        """
        <style>
          svg { font: 12px system-ui, sans-serif; } .ground { fill: #ffffff; }
          text { fill: #212529; } .quiet { fill: #6c757d; } .bold { font-weight: 600; }
          .cut { fill: #ffffff; font-size: 9px; text-anchor: middle; }
          line { stroke: #ced4da; } .one { stroke: #212529; stroke-dasharray: 5 3; }
          @media (prefers-color-scheme: dark) {
            .ground { fill: #16191d; } text { fill: #e9ecef; } .quiet { fill: #adb5bd; } .cut { fill: #ffffff; }
            line { stroke: #495057; } .one { stroke: #e9ecef; }
          }
        </style>
        """;

    // Distinct on white and on near-black alike.
    private static readonly string[] Colours =
        ["#2f9e44", "#1c7ed6", "#9c36b5", "#f08c00", "#e03131", "#15aabf", "#868e96", "#a9743b", "#d6499a"];

    private static readonly (Figure Figure, string Title)[] Panels =
    [
        (Figure.Cpu, "CPU per request, ratio to the better of nginx and HAProxy (lower is better)"),
        (Figure.Throughput, "requests per second, the same ratio (higher is better)"),
        (Figure.P99, "p99 latency, the same ratio (lower is better)"),
    ];

    /// <summary>The whole picture.</summary>
    /// <param name="comparison">What is drawn.</param>
    /// <param name="title">One line above it.</param>
    public static string Draw(Comparison comparison, string title)
    {
        var proxies = comparison.Loads.SelectMany(comparison.ProxiesOf).Distinct().ToList();
        var loads = comparison.Loads.Where(load => load != LoadNames.Idle).ToList();
        var group = Math.Max(GroupMin, proxies.Count * BarWidth + GroupGap);
        var width = Math.Max(WidthMin, Left + loads.Count * group + GroupGap);
        var height = Top + Panels.Length * (PanelHeight + PanelGap);

        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">
            {Style}
            <rect class="ground" x="0" y="0" width="{width}" height="{height}"/>
            <text x="{Left}" y="24" class="bold" font-size="15">{Escape(title)}</text>

            """);
        AddLegend(svg, proxies, width);
        for (var panel = 0; panel < Panels.Length; panel++)
        {
            var top = Top + panel * (PanelHeight + PanelGap);
            AddScale(svg, Panels[panel].Title, top, width);
            for (var i = 0; i < loads.Count; i++)
                AddGroup(svg, comparison, loads[i], Panels[panel].Figure, proxies, Left + GroupGap + i * group, top);
        }

        return svg.Append("</svg>\n").ToString();
    }

    private static void AddLegend(StringBuilder svg, List<string> proxies, int width)
    {
        var columns = Math.Max(1, (width - Left) / LegendColumn);
        for (var i = 0; i < proxies.Count; i++)
        {
            var x = Left + i % columns * LegendColumn;
            var y = 36 + i / columns * 16;
            svg.Append(CultureInfo.InvariantCulture, $"""
                <rect x="{x}" y="{y}" width="10" height="10" fill="{ColourOf(i)}"/>
                <text x="{x + 15}" y="{y + 9}">{Escape(proxies[i])}</text>

                """);
        }
    }

    private static void AddScale(StringBuilder svg, string title, int top, int width)
    {
        svg.Append(CultureInfo.InvariantCulture, $"""
            <text x="{Left}" y="{top - 8}" class="bold">{Escape(title)}</text>

            """);
        for (var ratio = 0.0; ratio <= RatioMax; ratio += 0.5)
        {
            var y = HeightAt(ratio, top);
            svg.Append(CultureInfo.InvariantCulture, $"""
                <line x1="{Left}" y1="{y:0.#}" x2="{width - 8}" y2="{y:0.#}"{(ratio == 1 ? " class=\"one\"" : "")}/>
                <text x="{Left - 6}" y="{y + 4:0.#}" text-anchor="end" class="quiet">{ratio:0.0}</text>

                """);
        }
    }

    private static void AddGroup(
        StringBuilder svg, Comparison comparison, string load, Figure figure, List<string> proxies, int left, int top)
    {
        var bottom = top + PanelHeight;
        for (var i = 0; i < proxies.Count; i++)
        {
            if (comparison.StandingOf(load, proxies[i], figure)?.ToBestPeer is not { } ratio)
                continue;
            var y = HeightAt(ratio, top);
            var x = left + i * BarWidth;
            svg.Append(CultureInfo.InvariantCulture, $"""
                <rect x="{x}" y="{y:0.#}" width="{BarWidth - 2}" height="{bottom - y:0.#}" fill="{ColourOf(i)}">
                <title>{Escape($"{load}, {proxies[i]}: {ratio:0.00}")}</title></rect>

                """);

            // A bar that leaves the scale says how far it would go; of the others the eye sees it.
            if (ratio > RatioMax)
            {
                svg.Append(CultureInfo.InvariantCulture, $"""
                    <text x="{x + BarWidth / 2}" y="{top + 11}" class="cut">{ratio:0.0}</text>

                    """);
            }
        }

        var middle = left + (proxies.Count * BarWidth) / 2;
        svg.Append(CultureInfo.InvariantCulture, $"""
            <text x="{middle}" y="{top + PanelHeight + 16}" text-anchor="middle">{Escape(load)}</text>

            """);
    }

    private static double HeightAt(double ratio, int top)
        => top + PanelHeight * (1 - Math.Min(ratio, RatioMax) / RatioMax);

    private static string ColourOf(int index) => Colours[index % Colours.Length];

    private static string Escape(string text) => SecurityElement.Escape(text);
}
