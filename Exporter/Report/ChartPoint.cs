using MaestroDeploy.Profiles;

namespace MaestroDeploy.Exporter.Report;

/// <summary>A variant that was measured: one point of the picture.</summary>
/// <param name="Series">Which series, from 0.</param>
/// <param name="Row">Its place in the series: 0 is the dense baseline.</param>
/// <param name="Variant">What the family says of it.</param>
/// <param name="Steady">What its device measured.</param>
/// <param name="Quality">Its value on the vertical axis.</param>
sealed record ChartPoint(int Series, int Row, Variant Variant, LatencyStatistics Steady, double Quality)
{
    public bool IsDense => Row == 0;

    public double Us(int percentile) => Steady.At(percentile).ValueUs;

    public double? UpperUs(int percentile) => Steady.At(percentile).UpperUs;

    /// <summary>Every variant that has both a latency and a quality.</summary>
    public static IReadOnlyList<ChartPoint> Of(SweepReport report) =>
    [
        .. from series in report.Series.Index()
           from variant in series.Item.All.Index()
           let latency = series.Item.Profile?.Find(variant.Item.Id)
           let quality = report.Measure.Of(variant.Item)
           where latency is not null && quality is not null
           select new ChartPoint(series.Index, variant.Index, variant.Item, latency.Steady, quality.Value),
    ];

    /// <summary>The frontiers: one for all that was measured under the same conditions and judged by the same data.</summary>
    /// <param name="report">Where the points are from.</param>
    /// <param name="points">The points.</param>
    /// <param name="percentile">50, 90 or 95.</param>
    public static IReadOnlyList<IReadOnlyList<ChartPoint>> Frontiers(SweepReport report, IReadOnlyList<ChartPoint> points, int percentile) =>
    [
        .. points.GroupBy(point => (report.FirstComparedWith(point.Series), point.Variant.AccuracyData))
            .Select(comparable => ParetoFrontier.Of(comparable, point => point.Us(percentile), point => report.Measure.Merit(point.Quality))),
    ];
}
