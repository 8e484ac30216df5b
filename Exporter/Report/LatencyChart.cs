using System.Globalization;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Exporter.Report;

/// <summary>One way to look at the picture.</summary>
/// <param name="Percentile">50, 90 or 95.</param>
/// <param name="Logarithmic">Whether the latency axis is.</param>
sealed record ChartView(int Percentile, bool Logarithmic);

/// <summary>The size that a picture is drawn at; letters are of one size in both.</summary>
sealed record ChartSize(string Name, int Width, int Height, int Ticks)
{
    public static ChartSize Wide { get; } = new("wide", 1120, 500, Ticks: 8);

    /// <summary>For phones.</summary>
    public static ChartSize Narrow { get; } = new("narrow", 360, 400, Ticks: 4);
}

/// <summary>The picture of latency and quality, as SVG: colours stand in attributes, for files on their own, and in classes, for style sheets.</summary>
sealed class LatencyChart
{
    const double Top = 34, RightMargin = 18, BottomMargin = 54, FontSize = 13, Tick = 9;
    const int LongestLabel = 16;

    readonly SweepReport _report;
    readonly ChartView _view;
    readonly ChartSize _size;
    readonly IReadOnlyList<ChartPoint> _points;
    readonly IReadOnlyList<IReadOnlyList<ChartPoint>> _frontiers;
    readonly HashSet<ChartPoint> _onFrontier;
    readonly ChartAxis _x, _y;

    LatencyChart(SweepReport report, IReadOnlyList<ChartPoint> points, ChartView view, ChartSize size)
    {
        (_report, _points, _view, _size) = (report, points, view, size);
        _frontiers = ChartPoint.Frontiers(report, points, view.Percentile);
        _onFrontier = [.. _frontiers.SelectMany(frontier => frontier)];
        double[] qualities = [.. points.Select(point => point.Quality)];
        var (start, end) = report.Measure.HigherIsBetter ? (Bottom, Top) : (Top, Bottom);
        _y = report.Measure.LeastSpan == 0 && qualities.Min() > 0 && qualities.Max() > 20 * qualities.Min()
            ? ChartAxis.Logarithmic(qualities, start, end, 6)
            : ChartAxis.Linear(qualities, start, end, 6, report.Measure.LeastSpan, report.Measure.Most);
        Left = Tick + 4 + _y.Ticks.Max(tick => LabelPlacement.Width(QualityTick(tick), FontSize));
        double[] latencies = [.. points.SelectMany(point => new[] { point.Us(view.Percentile), point.UpperUs(view.Percentile) ?? point.Us(view.Percentile) })];
        _x = view.Logarithmic && latencies.Min() > 0
            ? ChartAxis.Logarithmic(latencies, Left, Right, size.Ticks)
            : ChartAxis.Linear([.. latencies, 0], Left, Right, size.Ticks);
    }

    double Left { get; }

    double Right => _size.Width - RightMargin;

    double Bottom => _size.Height - BottomMargin;

    /// <summary>Whether latencies are better told by factors: some are five times others.</summary>
    public static bool SuitsLogarithm(IReadOnlyList<ChartPoint> points) =>
        points.Count > 0 && points.Min(point => point.Us(50)) is > 0 and var least && points.Max(point => point.Us(50)) > 5 * least;

    /// <summary>An <c>svg</c> element for a page.</summary>
    public static Markup Draw(SweepReport report, IReadOnlyList<ChartPoint> points, ChartView view, ChartSize size) => Markup.Of($"""
        <svg class="{size.Name}" viewBox="0 0 {size.Width} {size.Height}" role="group" aria-label="{Title(report)}, p{view.Percentile}, {(view.Logarithmic ? "logarithmic" : "linear")}">
        {new LatencyChart(report, points, view, size).Body()}
        </svg>
        """);

    /// <summary>A whole SVG document, with a title and a legend; null when nothing has been measured.</summary>
    public static string? Standalone(SweepReport report)
    {
        const int Margin = 16, Header = 46, LegendLine = 22;
        var points = ChartPoint.Of(report);
        if (points.Count == 0)
        {
            return null;
        }

        var (size, view) = (ChartSize.Wide, new ChartView(50, SuitsLogarithm(points)));
        var top = Header + (LegendLine * report.Series.Count);
        var legend = report.Labels.Select((label, i) => Markup.Of($"""
            <g transform="translate({Margin + 8} {Header + (LegendLine * i) + 4})"><path d="{SeriesStyle.Of(i).Shape}" fill="{SeriesStyle.Of(i).Light}"/><text x="16" y="4.5">{label}</text></g>
            """));
        return Markup.Of($"""
            <svg xmlns="http://www.w3.org/2000/svg" width="{size.Width}" height="{size.Height + top}" viewBox="0 0 {size.Width} {size.Height + top}" font-family="Inter, sans-serif" font-size="{FontSize}" fill="#1c1e21">
            <rect width="100%" height="100%" fill="#ffffff"/>
            <text x="{Margin}" y="30" font-size="18">{Title(report)}</text>
            {Markup.Lines(legend)}
            <g transform="translate(0 {top})">
            {new LatencyChart(report, points, view, size).Body()}
            </g>
            </svg>
            """).ToString();
    }

    /// <summary>What the picture shows.</summary>
    public static string Title(SweepReport report) => $"Latency and {report.Measure.Name}";

    Markup Body() => Markup.Lines([Grid(), Baseline(), .. _frontiers.Select(Frontier), .. InDrawingOrder().Select(Point), Names()]);

    // From the slowest to the fastest, as the table has them: so Tab goes through them, and the better mark lies over the worse.
    IEnumerable<ChartPoint> InDrawingOrder() => _points.OrderByDescending(point => point.Us(_view.Percentile));

    Markup Grid()
    {
        var vertical = _x.Ticks.Select(tick => Markup.Of($"""
            <path class="grid" d="M{_x.At(tick)} {Top}V{Bottom}" stroke="#e3e5e8"/><text class="tick" x="{_x.At(tick)}" y="{Bottom + 19}" text-anchor="middle">{TickTexts.Microseconds(tick)}</text>
            """));
        var horizontal = _y.Ticks.Select(tick => Markup.Of($"""
            <path class="grid" d="M{Left} {_y.At(tick)}H{Right}" stroke="#e3e5e8"/><text class="tick" x="{Left - Tick}" y="{_y.At(tick) + 4.5}" text-anchor="end">{QualityTick(tick)}</text>
            """));
        var better = _report.Measure.HigherIsBetter ? "" : ", less is better";
        return Markup.Of($"""
            {Markup.Lines(vertical)}
            {Markup.Lines(horizontal)}
            <path class="axis" d="M{Left} {Top}V{Bottom}H{Right}" fill="none" stroke="#8a9099"/>
            <text class="title" x="{(Left + Right) / 2}" y="{Bottom + 44}" text-anchor="middle">latency p{_view.Percentile}{(_x.IsLogarithmic ? ", logarithmic" : "")}</text>
            <text class="title" x="4" y="16">{_report.Measure.Name}{better}</text>
            """);
    }

    // Lines through the dense graph part what is faster and what is better; of several they would part nothing.
    ChartPoint? OnlyDense => _report.Series.Count == 1 ? _points.FirstOrDefault(point => point.IsDense) : null;

    Markup Baseline() => OnlyDense is { } dense
        ? Markup.Of($"""
            <path class="baseline" d="M{X(dense)} {Top}V{Bottom}M{Left} {Y(dense)}H{Right}" fill="none" stroke="#8a9099" stroke-dasharray="2 4"/>
            """)
        : Markup.None;

    // A step line: between two points only what the faster one gives is to be had.
    Markup Frontier(IReadOnlyList<ChartPoint> frontier)
    {
        var style = SeriesStyle.Of(frontier[0].Series);
        var mixed = frontier.Any(point => point.Series != frontier[0].Series);
        var steps = string.Concat(frontier.Skip(1).Select(point => string.Create(CultureInfo.InvariantCulture, $"H{X(point):0.##}V{Y(point):0.##}")));
        var series = string.Join(' ', frontier.Select(point => point.Series).Distinct().Select(i => $"of-{i}"));
        return Markup.Of($"""
            <path class="frontier {series} {(mixed ? "mixed" : $"c{style.Colour}")}" d="M{X(frontier[0])} {Y(frontier[0])}{steps}H{Right}" fill="none" stroke="{(mixed ? "#8a9099" : style.Light)}" stroke-width="1.5"/>
            """);
    }

    Markup Point(ChartPoint point)
    {
        var style = SeriesStyle.Of(point.Series);
        var dominated = _onFrontier.Contains(point) ? Markup.None : Markup.Trusted(" opacity=\"0.4\"");
        var state = $"{(point.IsDense ? " dense" : "")}{(_onFrontier.Contains(point) ? "" : " dominated")}";
        var mark = point.IsDense ? Markup.Of($"fill=\"#ffffff\" stroke=\"{style.Light}\" stroke-width=\"2.5\"") : Markup.Of($"fill=\"{style.Light}\"");
        return Markup.Of($"""
            <g class="point series-{point.Series} c{style.Colour}{state}" data-row="{RowId(point.Series, point.Row)}" tabindex="0" role="img" aria-label="{Spoken(point)}"{dominated}><title>{Spoken(point)}</title>{Whisker(point, style)}<g transform="translate({X(point)} {Y(point)})"><circle class="hit" r="15" fill="none"/><path class="mark" d="{style.Shape}" {mark}/></g></g>
            """);
    }

    Markup Whisker(ChartPoint point, SeriesStyle style) => point.UpperUs(_view.Percentile) is { } upper
        ? Markup.Of($"""<path class="whisker" d="M{X(point)} {Y(point)}H{_x.At(upper)}m0 -4v8" fill="none" stroke="{style.Light}" stroke-width="1.5"/>""")
        : Markup.None;

    Markup Names()
    {
        var placement = Room();
        var names = from point in InDrawingOrder().OrderByDescending(_onFrontier.Contains)
                    let text = Shortened(point.Variant.Id)
                    let place = placement.Find(X(point), Y(point), text, FontSize)
                    where place is not null
                    select Markup.Of($"""
                        <text class="name series-{point.Series}{(_onFrontier.Contains(point) ? "" : " dominated")}" x="{place.Value.X}" y="{place.Value.Y}">{text}</text>
                        """);
        return Markup.Of($"<g class=\"names\" aria-hidden=\"true\">{Markup.Lines(names)}</g>");
    }

    // What marks, whiskers and lines leave free.
    LabelPlacement Room()
    {
        const double Mark = 7, Line = 1; // half of what they are wide
        var room = new LabelPlacement(Left + 2, Top, _size.Width, Bottom);
        if (OnlyDense is { } dense)
        {
            room.Take(X(dense) - Line, Top, 2 * Line, Bottom - Top);
            room.Take(Left, Y(dense) - Line, Right - Left, 2 * Line);
        }

        foreach (var (from, to) in _frontiers.SelectMany(frontier => frontier.Zip(frontier.Skip(1))))
        {
            room.Take(X(from), Y(from) - Line, X(to) - X(from), 2 * Line);
            room.Take(X(to) - Line, Math.Min(Y(from), Y(to)), 2 * Line, Math.Abs(Y(from) - Y(to)));
        }

        foreach (var point in _points)
        {
            var end = _x.At(point.UpperUs(_view.Percentile) ?? point.Us(_view.Percentile));
            room.Take(X(point) - Mark, Y(point) - Mark, Math.Max(2 * Mark, end - X(point) + Mark), 2 * Mark);
        }

        return room;
    }

    string QualityTick(double tick) => _report.Measure.TickText(tick, _y.Step);

    double X(ChartPoint point) => _x.At(point.Us(_view.Percentile));

    double Y(ChartPoint point) => _y.At(point.Quality);

    /// <summary>The <c>id</c> of a variant's row in the table of all variants.</summary>
    public static string RowId(int series, int row) => $"row-{series}-{row}";

    string Spoken(ChartPoint point)
    {
        var family = _report.Series.Count > 1 ? $" of {_report.Labels[point.Series]}" : "";
        var bound = point.UpperUs(_view.Percentile) is { } upper ? $", at most {Units.Microseconds(upper)}" : "";
        return $"{point.Variant.Id}{family}: p{_view.Percentile} {Units.Microseconds(point.Us(_view.Percentile))}{bound}; "
            + $"{_report.Measure.Name} {_report.Measure.Text(point.Quality)}; {(_onFrontier.Contains(point) ? "on the frontier" : "dominated")}";
    }

    static string Shortened(string id) => id.Length <= LongestLabel ? id : id[..(LongestLabel - 1)] + "…";
}
