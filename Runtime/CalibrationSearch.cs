using MaestroDeploy.Profiles;

namespace MaestroDeploy.Runtime;

/// <summary>
/// Which variants must be measured to know the one to run, as long as more MACs never take less time: each measurement
/// halves the open question. What it assumes it can also check, on what was measured.
/// </summary>
/// <param name="manifest">The family.</param>
/// <param name="level">What is asked.</param>
/// <param name="measured">What has been measured so far.</param>
sealed class CalibrationSearch(FamilyManifest manifest, ServiceLevel level, IReadOnlyList<VariantLatency> measured)
{
    // Neighbours on one step differ by noise alone; a fall beyond it says that MACs do not order the latencies here.
    const double Noise = 0.15;

    readonly double _limitUs = level.MaxLatency?.TotalMicroseconds ?? double.PositiveInfinity;
    readonly Dictionary<string, VariantLatency> _latencies = measured.ToDictionary(latency => latency.Id);
    readonly StepCurve _values = Curve(manifest, measured, latency => latency.Steady.At(level.Percentile).ValueUs);
    readonly StepCurve _bounds = Curve(
        manifest, measured, latency => latency.Steady.At(level.Percentile).UpperUs ?? double.PositiveInfinity);

    enum Outlook
    {
        Misses,
        Open,
        Keeps,
    }

    /// <summary>Whether MACs order the latencies measured: no fall beyond the noise from a variant to a larger one.</summary>
    public bool CurveHolds => _values.LargestMove <= Noise;

    /// <summary>The variant to measure next; null when what is measured decides.</summary>
    public Variant? Next()
    {
        var outlooks = manifest.Variants.ToDictionary(variant => variant, OutlookOf);
        var contenders = manifest.Variants.Where(variant => outlooks[variant] != Outlook.Misses).ToArray();
        if (contenders.Length == 0)
        {
            // The fastest will be the answer, or where all are too large the smallest.
            var isTooLarge = manifest.Variants.All(variant => variant.Bytes > level.MaxBytes);
            return Unmeasured([manifest.Variants.MinBy(variant => isTooLarge ? variant.Bytes : variant.Macs)!]).FirstOrDefault();
        }

        // Only speed decides between equally good ones, so each of them must be known.
        var merit = contenders.Max(Merit.Of);
        var best = Unmeasured(contenders.Where(variant => Merit.Of(variant) == merit)).ToArray();
        if (best.Length == 0)
        {
            return null;
        }

        var open = Unmeasured(contenders).Where(variant => outlooks[variant] == Outlook.Open).OrderBy(variant => variant.Macs).ToArray();
        return best.FirstOrDefault(variant => outlooks[variant] == Outlook.Keeps) ?? open[open.Length / 2];
    }

    static StepCurve Curve(FamilyManifest manifest, IEnumerable<VariantLatency> measured, Func<VariantLatency, double> value) =>
        StepCurve.Fit(measured.Select(latency => ((double)manifest.Find(latency.Id)!.Macs, value(latency))));

    IEnumerable<Variant> Unmeasured(IEnumerable<Variant> variants) => variants.Where(variant => !_latencies.ContainsKey(variant.Id));

    Outlook OutlookOf(Variant variant)
    {
        if (!level.KeepsSize(variant))
        {
            return Outlook.Misses;
        }

        if (_latencies.TryGetValue(variant.Id, out var latency))
        {
            return level.KeepsLatency(latency) && level.KeepsMemory(latency) ? Outlook.Keeps : Outlook.Misses;
        }

        return _values.AtLeast(variant.Macs) > _limitUs ? Outlook.Misses
            : level.MaxLatency is null || _bounds.AtMost(variant.Macs) <= _limitUs ? Outlook.Keeps
            : Outlook.Open;
    }
}
