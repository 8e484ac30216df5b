using MaestroDeploy.Profiles;

namespace MaestroDeploy.Exporter.Report;

/// <summary>What <c>sweep</c> shows: families and devices side by side.</summary>
public sealed record SweepReport
{
    /// <param name="series">One or more.</param>
    /// <exception cref="ArgumentException">There is none.</exception>
    public SweepReport(IReadOnlyList<SweepSeries> series)
    {
        Series = series.Count > 0 ? [.. series] : throw new ArgumentException("A report needs at least one family.", nameof(series));
        Labels = LabelsOf(Series);
        Variants = [.. Series.SelectMany(one => one.All)];
        Measure = QualityMeasure.For(Variants);
    }

    /// <summary>The families, each once for each device that measured it.</summary>
    public IReadOnlyList<SweepSeries> Series { get; }

    /// <summary>A name for each series, no two the same: the family's, and as much of where it was measured as tells it from the others.</summary>
    public IReadOnlyList<string> Labels { get; }

    /// <summary>Every variant of every series.</summary>
    internal IReadOnlyList<Variant> Variants { get; }

    /// <summary>The vertical axis of the picture.</summary>
    internal QualityMeasure Measure { get; }

    /// <summary>The first series whose latencies may be compared with those of a series: itself, or one before it.</summary>
    internal int FirstComparedWith(int series) => Enumerable.Range(0, series).FirstOrDefault(i => Series[series].ComparesWith(Series[i]), series);

    /// <summary>One page that needs nothing else: no network, no fonts and, to be read, no script.</summary>
    public string ToHtml() => HtmlReport.Render(this);

    /// <summary>The picture as a whole SVG document; null when nothing was measured.</summary>
    public string? ToSvg() => LatencyChart.Standalone(this);

    /// <summary>A table for programs, RFC 4180: a header and a line a variant, in the units that the columns name; a cell is empty where nothing is known.</summary>
    public string ToCsv() => CsvReport.Render(this);

    /// <summary>The records for programs: a <see cref="SweepFamilyReport"/>, or, of several series, a <see cref="SweepFamiliesReport"/>.</summary>
    public object ToRecord() => Series.Count == 1 ? Series[0].ToRecord() : new SweepFamiliesReport([.. Series.Select(one => one.ToRecord())]);

    // Trait after trait is added until no two labels are the same; a trait that tells none apart is left out.
    static string[] LabelsOf(IReadOnlyList<SweepSeries> series)
    {
        var traits = series.Select(one => one.Traits().ToArray()).ToArray();
        var labels = traits.Select(own => own[0]).ToArray();
        for (var i = 1; i < traits.Max(own => own.Length) && labels.Distinct().Count() < labels.Length; i++)
        {
            string[] longer = [.. labels.Zip(traits, (label, own) => i < own.Length ? $"{label}, {own[i]}" : label)];
            labels = longer.Distinct().Count() > labels.Distinct().Count() ? longer : labels;
        }

        return labels.Distinct().Count() == labels.Length
            ? labels
            : [.. labels.Select((label, i) => $"{label} ({i + 1})")];
    }
}
