using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Exporter.Report;

/// <summary>A report as one HTML page that needs nothing else: no network, no fonts, and, to be read, no script.</summary>
static partial class HtmlReport
{
    /// <summary>The page; the same report gives the same page.</summary>
    /// <param name="report">What to show.</param>
    public static string Render(SweepReport report)
    {
        var points = ChartPoint.Of(report);
        var script = Resource("report.js");
        return Filled(Resource("report.html"), new Dictionary<string, Markup>
        {
            ["title"] = Markup.Of($"{LatencyChart.Title(report)} of {Names(report)}"),
            ["lead"] = Lead(report),
            ["style"] = Markup.Trusted(Resource("report.css")),
            ["palette"] = Palette(report),
            ["script"] = Markup.Trusted(script),
            ["script_hash"] = Markup.Trusted(Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(script)))),
            ["chart"] = points.Count > 0 ? Chart(report, points) : Markup.Of($"<p>There is nothing to draw: no variant has been measured. Run ‘maestro sweep’ on a device.</p>"),
            ["missing"] = Missing(report, points),
            ["variants"] = VariantTable.Of(report, points),
            ["ranks"] = RankTable.Of(report),
            ["conditions"] = ConditionsSection.Of(report),
            ["samples"] = Samples(report),
        });
    }

    // In one pass, so that nothing that was put in is taken for a hole.
    static string Filled(string template, Dictionary<string, Markup> values) => Hole().Replace(template, hole => values[hole.Groups[1].Value].ToString());

    [GeneratedRegex(@"\{\{(\w+)\}\}")]
    private static partial Regex Hole();

    static string Resource(string name)
    {
        using var stream = typeof(HtmlReport).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    static string Names(SweepReport report)
    {
        const int Most = 3;
        var names = report.Series.Select(series => series.Manifest.Name).Distinct().ToArray();
        return string.Join(", ", names.Take(Most)) + (names.Length > Most ? $" and {names.Length - Most} more" : "");
    }

    static Markup Lead(SweepReport report) => Markup.Lines(report.Series.Select((series, i) =>
    {
        var label = report.Series.Count == 1 ? Markup.None : Markup.Of($"{VariantTable.Swatch(i)} <strong>{report.Labels[i]}</strong>, ");
        var line = FamilyReport.Of(series.Path, series.Manifest, series.Profile).BeforeAndAfter();
        return Markup.Of($"<p class=\"lead\">{label}{Origin(series)}<br>{line}</p>");
    }));

    static string Origin(SweepSeries series)
    {
        var made = series.Manifest.Provenance;
        var where = series.Profile is { Device: var device, Measurement: var how }
            ? $"measured on {device.Cpu}, {how.Provider}, {(how.Threads == 1 ? "1 thread" : $"{how.Threads} threads")}, batch {how.Batch}"
            : "not measured";
        return $"{made.Model ?? made.Source}{(made.Data is { } data ? $" trained on {data}" : "")}, {where}";
    }

    static Markup Chart(SweepReport report, IReadOnlyList<ChartPoint> points)
    {
        var logarithmic = LatencyChart.SuitsLogarithm(points);
        var views = from percentile in LatencyStatistics.DecidedBy
                    from view in new ChartView[] { new(percentile, Logarithmic: true), new(percentile, Logarithmic: false) }
                    let first = percentile == 50 && view.Logarithmic == logarithmic ? " first" : ""
                    select Markup.Of($"""
                        <div class="view p{percentile} {(view.Logarithmic ? "log" : "linear")}{first}">
                        {LatencyChart.Draw(report, points, view, ChartSize.Wide)}
                        {LatencyChart.Draw(report, points, view, ChartSize.Narrow)}
                        </div>
                        """);
        return Markup.Of($"{Controls(report, logarithmic)}<div class=\"views\">{Markup.Lines(views)}</div>");
    }

    static Markup Controls(SweepReport report, bool logarithmic)
    {
        var percentiles = LatencyStatistics.DecidedBy.Select(percentile => Choice("radio", "percentile", $"p{percentile}", percentile == 50, Markup.Of($"p{percentile}")));
        Markup[] scales = [Choice("radio", "scale", "log", logarithmic, Markup.Of($"logarithmic")), Choice("radio", "scale", "linear", !logarithmic, Markup.Of($"linear"))];
        var series = report.Labels.Select((label, i) => Choice("checkbox", "series", $"series-{i}", true, Markup.Of($"{VariantTable.Swatch(i)}{label}")));
        return Markup.Of($"""
            <div class="controls">
            <fieldset><legend>percentile</legend>{Markup.Lines(percentiles)}</fieldset>
            <fieldset><legend>latency axis</legend>{Markup.Lines(scales)}</fieldset>
            <fieldset class="legend"><legend>shown</legend>{Markup.Lines(series)}</fieldset>
            </div>
            """);
    }

    static Markup Choice(string type, string name, string id, bool chosen, Markup label) => Markup.Of($"""
        <label><input type="{type}" name="{name}" id="{id}"{(chosen ? Markup.Trusted(" checked") : Markup.None)}> <span>{label}</span></label>
        """);

    // Colours once for each scheme, and what hides a series that is not to be shown: its points, and frontiers of it alone.
    static Markup Palette(SweepReport report)
    {
        var light = string.Concat(SeriesStyle.Palette.Select((colour, i) => $"--c{i}:{colour.Light};"));
        var dark = string.Concat(SeriesStyle.Palette.Select((colour, i) => $"--c{i}:{colour.Dark};"));
        var uses = SeriesStyle.Palette.Select((_, i) => $".c{i} {{ --c: var(--c{i}); }}");
        var hidden = report.Series.Select((_, i) => $"figure:has(#series-{i}:not(:checked)) :is(.series-{i}, .of-{i}:not(.mixed)) {{ display: none; }}");
        return Markup.Trusted($$"""
            :root { {{light}} }
            @media screen and (prefers-color-scheme: dark) { :root { {{dark}} } }
            {{string.Join('\n', uses.Concat(hidden))}}
            """);
    }

    static Markup Missing(SweepReport report, IReadOnlyList<ChartPoint> points)
    {
        var drawn = points.Select(point => (point.Series, point.Row)).ToHashSet();
        var missing = report.Series.Index().Where(series => !series.Item.All.Index().Any(variant => drawn.Contains((series.Index, variant.Index)))).ToArray();
        return points.Count == 0 || missing.Length == 0
            ? Markup.None
            : Markup.Of($"<p class=\"doubt\">Not in the picture, for want of a latency or of {report.Measure.Name}: {string.Join(", ", missing.Select(series => report.Labels[series.Index]))}.</p>");
    }

    static Markup Samples(SweepReport report)
    {
        var sets = report.Variants.Where(variant => variant is { Accuracy: not null, AccuracySamples: not null }).GroupBy(variant => (variant.AccuracyData, variant.AccuracySamples));
        return Markup.Lines(sets.Select(set => Markup.Of($"""
            <li>Accuracy is that of each exported graph in ONNX Runtime on {set.Key.AccuracySamples!.Value.ToString("N0", CultureInfo.InvariantCulture)} samples of {set.Key.AccuracyData}. Differences of less than about {(100 * set.Max(variant => variant.AccuracyMargin!.Value)).ToString("0.0", CultureInfo.InvariantCulture)} points may be chance.{Chosen(set)}</li>
            """)));
    }

    static string Chosen(IEnumerable<Variant> variants) => string.Concat(variants.Where(variant => variant.AccuracyFloor is not null)
        .Select(variant => FormattableString.Invariant($" {variant.Id} was looked for as the cheapest to reach {100 * variant.AccuracyFloor:0.##} % of these very samples, which flatters it.")).Distinct());
}
