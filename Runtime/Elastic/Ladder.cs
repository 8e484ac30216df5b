using MaestroDeploy.Profiles;

namespace MaestroDeploy.Runtime.Elastic;

/// <summary>A variant that a governor may use.</summary>
/// <param name="Variant">Its id.</param>
/// <param name="ExpectedUs">The percentile of its latency as the profile has it, in microseconds.</param>
public readonly record struct Rung(string Variant, double ExpectedUs);

/// <summary>The variants that a service level leaves a governor, the slowest first.</summary>
static class Ladder
{
    /// <summary>Every variant that keeps size, memory and accuracy, and is better than all that are faster; the selected one always.</summary>
    public static IReadOnlyList<Rung> Of(FamilyManifest manifest, LatencyProfile profile, ServiceLevel level, Variant selected)
    {
        var expected = manifest.Variants.ToDictionary(variant => variant.Id, variant => Expected(variant, manifest, profile, level.Percentile));
        var rungs = new List<Rung>();
        Merit? best = null;
        foreach (var variant in manifest.Variants
            .Where(variant => variant == selected || Keeps(variant, profile.Find(variant.Id), level))
            .OrderBy(variant => expected[variant.Id]))
        {
            var isBetter = best is null || Merit.Of(variant).CompareTo(best.Value) > 0;
            if (isBetter || variant == selected)
            {
                rungs.Add(new Rung(variant.Id, expected[variant.Id]));
            }

            best = isBetter ? Merit.Of(variant) : best;
        }

        rungs.Reverse();
        return rungs;
    }

    static bool Keeps(Variant variant, VariantLatency? latency, ServiceLevel level) =>
        level.KeepsSize(variant) && level.KeepsMemory(latency) && (level.MinAccuracy is null || variant.Accuracy >= level.MinAccuracy);

    // A calibration measures few; the others are guessed by their MACs, and the governor looks at what really comes of them.
    static double Expected(Variant variant, FamilyManifest manifest, LatencyProfile profile, int percentile)
    {
        if (profile.Find(variant.Id) is { } latency)
        {
            return latency.Steady.At(percentile).ValueUs;
        }

        (long Macs, double Us)[] points = [(0, profile.CallOverheadUs), .. manifest.Variants
            .Where(one => profile.Find(one.Id) is not null)
            .Select(one => (one.Macs, profile.Find(one.Id)!.Steady.At(percentile).ValueUs)).OrderBy(point => point.Macs)];
        // The points on either side; beyond the last one its line goes on. What noise makes of two near ones must not let more MACs take less time.
        var above = Array.FindIndex(points, 1, point => point.Macs >= variant.Macs) is > 0 and var index ? index : points.Length - 1;
        var (low, high) = (points[above - 1], points[above]);
        var line = high.Macs == low.Macs ? high.Us : low.Us + ((high.Us - low.Us) * (variant.Macs - low.Macs) / (high.Macs - low.Macs));
        return Math.Max(line, points.Where(point => point.Macs <= variant.Macs).Max(point => point.Us));
    }
}
