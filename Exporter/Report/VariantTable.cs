using System.Globalization;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Exporter.Report;

/// <summary>The table of all variants: a body a series, the dense baseline first.</summary>
static class VariantTable
{
    const string Nothing = "–";

    public static Markup Of(SweepReport report, IReadOnlyList<ChartPoint> points)
    {
        var measures = QualityMeasure.MeasuredOf(report.Variants);
        string[] columns = ["variant", "budget", "parameters", "MACs", "bytes", .. measures.Select(measure => measure.Name),
            "p50", "p90", "p95", "speed-up over\u00a0dense", "load", "first run", "frontier at p50"];
        var frontier = ChartPoint.Frontiers(report, points, 50).SelectMany(one => one).Select(point => (point.Series, point.Row)).ToHashSet();
        return Markup.Of($"""
            <table class="variants">
            <thead><tr>{Markup.Lines(columns.Select(column => Markup.Of($"<th scope=\"col\">{column}</th>")))}</tr></thead>
            {Markup.Lines(report.Series.Select((_, i) => Body(report, i, columns.Length, measures, frontier)))}
            </table>
            """);
    }

    static Markup Body(SweepReport report, int series, int columns, IReadOnlyList<QualityMeasure> measures, HashSet<(int Series, int Row)> frontier)
    {
        var one = report.Series[series];
        var heading = report.Series.Count == 1 ? Markup.None : Markup.Of($"""
            <tr class="family"><th scope="rowgroup" colspan="{columns}">{Swatch(series)} {report.Labels[series]}</th></tr>
            """);
        return Markup.Of($"<tbody>{heading}{Markup.Lines(one.All.Select((_, row) => Row(one, series, row, measures, OnFrontier(row))))}</tbody>");

        string OnFrontier(int row) => one.Profile?.Find(one.All[row].Id) is null || report.Measure.Of(one.All[row]) is null ? Nothing
            : frontier.Contains((series, row)) ? "yes" : "no";
    }

    static Markup Row(SweepSeries series, int number, int row, IReadOnlyList<QualityMeasure> measures, string onFrontier)
    {
        var variant = series.All[row];
        var latency = series.Profile?.Find(variant.Id);
        Markup[] cells =
        [
            Text(variant.Budget is { } budget ? (100 * budget).ToString("0.###", CultureInfo.InvariantCulture) + " %" : Nothing),
            Text(Units.Count(variant.Params)),
            Text(Units.Count(variant.Macs)),
            Text(Units.Bytes(variant.Bytes)),
            .. measures.Select(measure => Text(measure.Of(variant) is { } value ? measure.Text(value) : Nothing)),
            .. LatencyStatistics.DecidedBy.Select(percentile => Latency(latency, percentile)),
            Text(SpeedUp(series, latency) is { } speedUp ? Units.Ratio(speedUp) : Nothing),
            Text(Units.Microseconds(latency?.LoadMs * 1000)),
            Text(Units.Microseconds(latency?.FirstRunUs)),
            Text(onFrontier),
        ];
        var unstable = latency?.Steady.Unstable == true ? Markup.Of($" <span class=\"flag\">unstable</span>") : Markup.None;
        return Markup.Of($"""
            <tr id="{LatencyChart.RowId(number, row)}"{(row == 0 ? Markup.Trusted(" class=\"dense\"") : Markup.None)}><th scope="row">{variant.Id}{unstable}</th>{Markup.Lines(cells)}</tr>
            """);
    }

    /// <summary>How many times faster than the dense baseline, by the median; null where either was not measured.</summary>
    public static double? SpeedUp(SweepSeries series, VariantLatency? latency) =>
        series.Profile?.Find(series.Manifest.Dense.Id)?.Steady.P50Us / latency?.Steady.P50Us is { } ratio && double.IsFinite(ratio) ? ratio : null;

    /// <summary>The mark of a series, as the picture has it.</summary>
    public static Markup Swatch(int series) => Markup.Of($"""
        <svg class="swatch c{SeriesStyle.Of(series).Colour}" viewBox="-9 -9 18 18" aria-hidden="true"><path class="mark" d="{SeriesStyle.Of(series).Shape}"/></svg>
        """);

    static Markup Text(string text) => Markup.Of($"<td>{text}</td>");

    static Markup Latency(VariantLatency? latency, int percentile)
    {
        if (latency is null)
        {
            return Text(Nothing);
        }

        var (value, upper) = latency.Steady.At(percentile);
        var bound = upper is { } most ? Markup.Of($" <small>≤ {Units.Microseconds(most)}</small>") : Markup.None;
        return Markup.Of($"<td>{Units.Microseconds(value)}{bound}</td>");
    }
}
