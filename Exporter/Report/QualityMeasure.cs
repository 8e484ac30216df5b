using System.Globalization;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Exporter.Report;

/// <summary>What makes one variant better than another, latency apart: the vertical axis of the picture.</summary>
/// <param name="Name">As the axis and the tables call it.</param>
/// <param name="HigherIsBetter">Otherwise the axis runs downwards, so that better is always up.</param>
/// <param name="LeastSpan">What its axis spans at least; 0 for as little as there is.</param>
/// <param name="Most">The largest value there can be; null where there is none.</param>
/// <param name="Of">Its value for a variant; null where it was not measured.</param>
/// <param name="Text">A value for people.</param>
/// <param name="TickText">A value on an axis whose ticks lie that step apart.</param>
sealed record QualityMeasure(
    string Name, bool HigherIsBetter, double LeastSpan, double? Most, Func<Variant, double?> Of, Func<double, string> Text, Func<double, double, string> TickText)
{
    static readonly QualityMeasure Accuracy = new(
        "accuracy", HigherIsBetter: true, LeastSpan: 0.02, Most: 1, variant => variant.Accuracy, value => Units.Share(value),
        (value, step) => Decimals(100 * value, 100 * step) + " %");

    static readonly QualityMeasure Perplexity = new(
        "perplexity", HigherIsBetter: false, LeastSpan: 0, Most: null, variant => variant.Perplexity, value => value.ToString("0.###", CultureInfo.InvariantCulture), Decimals);

    static readonly QualityMeasure OutputError = new(
        "output error", HigherIsBetter: false, LeastSpan: 0, Most: null, variant => variant.Distance?.RelativeError, value => Units.Error(value), Decimals);

    // Where nothing was measured, more is taken to be better, as the selector takes it.
    static readonly QualityMeasure Macs = new(
        "MACs", HigherIsBetter: true, LeastSpan: 0, Most: null, variant => variant.Macs, value => Units.Count((long)value), (value, _) => TickTexts.Count(value));

    /// <summary>All of them, the most telling first.</summary>
    public static IReadOnlyList<QualityMeasure> InOrder { get; } = [Accuracy, Perplexity, OutputError, Macs];

    /// <summary>Those that were measured: a column each in the table.</summary>
    public static IReadOnlyList<QualityMeasure> MeasuredOf(IReadOnlyCollection<Variant> variants) =>
        [.. InOrder.Where(measure => measure != Macs && variants.Any(variant => measure.Of(variant) is not null))];

    /// <summary>The first that any of these variants has.</summary>
    public static QualityMeasure For(IReadOnlyCollection<Variant> variants) =>
        InOrder.First(measure => measure == Macs || variants.Any(variant => measure.Of(variant) is not null));

    /// <summary>Its value such that more is better.</summary>
    public double Merit(double value) => HigherIsBetter ? value : -value;

    static string Decimals(double value, double step)
    {
        var decimals = Math.Clamp(-(int)Math.Floor(Math.Log10(step) + 1e-9), 0, 9);
        return value.ToString("F" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }
}
