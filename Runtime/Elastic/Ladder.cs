using MaestroDeploy.Profiles;

namespace MaestroDeploy.Runtime.Elastic;

/// <summary>A variant that a governor may use.</summary>
/// <param name="Variant">Its id.</param>
/// <param name="ExpectedUs">The percentile of its latency on the idle device, in microseconds.</param>
public readonly record struct Rung(string Variant, double ExpectedUs);

/// <summary>The variants that a service level leaves a governor, the slowest first.</summary>
static class Ladder
{
    /// <summary>Every variant that keeps size, memory and accuracy, and is better than all that are faster; the selected one always.</summary>
    public static IReadOnlyList<Rung> Of(FamilyManifest manifest, LatencyProfile profile, ServiceLevel level, Variant selected)
    {
        var rungs = new List<Rung>();
        (double, long) best = (double.NegativeInfinity, 0);
        foreach (var (variant, expectedUs) in manifest.Variants
            .Where(variant => variant == selected || Keeps(variant, profile.Find(variant.Id), level))
            .Select(variant => (variant, Expected(variant, manifest, profile, level.Percentile)))
            .OrderBy(pair => pair.Item2))
        {
            var merit = (variant.Accuracy ?? 0, variant.Accuracy is null ? variant.Macs : 0);
            if (variant == selected || merit.CompareTo(best) > 0)
            {
                rungs.Add(new Rung(variant.Id, expectedUs));
                best = merit.CompareTo(best) > 0 ? merit : best;
            }
        }

        rungs.Reverse();
        return rungs;
    }

    static bool Keeps(Variant variant, VariantLatency? latency, ServiceLevel level) =>
        (level.MaxBytes is null || variant.Bytes <= level.MaxBytes)
        && (level.MaxMemoryBytes is null || latency?.PrivateBytes <= level.MaxMemoryBytes)
        && (level.MinAccuracy is null || variant.Accuracy >= level.MinAccuracy);

    // A calibration measures few; what lies between is guessed by its MACs, and the governor looks at what really comes of it.
    static double Expected(Variant variant, FamilyManifest manifest, LatencyProfile profile, int percentile)
    {
        if (profile.Find(variant.Id) is { } latency)
        {
            return latency.Steady.At(percentile).ValueUs;
        }

        var measured = profile.Variants.Select(one => (manifest.Find(one.Id)!.Macs, Us: one.Steady.At(percentile).ValueUs)).ToArray();
        var (belowMacs, belowUs) = measured.Where(one => one.Macs <= variant.Macs).DefaultIfEmpty((0, profile.CallOverheadUs)).MaxBy(one => one.Item1);
        var (aboveMacs, aboveUs) = measured.Where(one => one.Macs > variant.Macs).DefaultIfEmpty((variant.Macs, belowUs * variant.Macs / Math.Max(1, belowMacs)))
            .MinBy(one => one.Item1);
        return aboveMacs == belowMacs ? aboveUs : belowUs + ((aboveUs - belowUs) * (variant.Macs - belowMacs) / (aboveMacs - belowMacs));
    }
}
