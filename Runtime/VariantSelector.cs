using System.Globalization;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Runtime;

/// <summary>Chooses the variant to run from what a family says and what a device measured.</summary>
/// <remarks>
/// A limit is compared with the upper confidence bound of the percentile (one-sided, 95 %), not with its value, so that
/// a variant is not chosen by luck. The dense baseline is never chosen: a device can do without it.
/// </remarks>
public static class VariantSelector
{
    /// <summary>The most accurate variant within the limit; the fastest one when none is.</summary>
    /// <remarks>Of equal accuracies the faster is taken; without accuracies, the one with more MACs.</remarks>
    /// <param name="manifest">The family.</param>
    /// <param name="profile">What this device measured of it.</param>
    /// <param name="maxLatency">The longest latency wanted, itself allowed; null for no limit.</param>
    /// <param name="percentile">The percentile that the limit holds for: 50, 90 or 95.</param>
    /// <param name="minAccuracy">The lowest accuracy wanted, itself allowed, in 0..1; null for any.</param>
    /// <exception cref="ArgumentException">A value is out of its range, or the profile has no variant of the family.</exception>
    public static Selection Select(
        FamilyManifest manifest, LatencyProfile profile, TimeSpan? maxLatency = null, int percentile = 90, double? minAccuracy = null)
    {
        if (maxLatency is { } asked && asked <= TimeSpan.Zero)
        {
            throw new ArgumentOutOfRangeException(nameof(maxLatency), asked, "A latency limit must be longer than nothing.");
        }

        if (minAccuracy is not null and not (>= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(minAccuracy), minAccuracy, "An accuracy lies in 0..1.");
        }

        var measured = manifest.Variants
            .Select(variant => (variant, latency: profile.Find(variant.Id)))
            .Where(pair => pair.latency is not null)
            .Select(pair => new Candidate(pair.variant, pair.latency!, percentile))
            .ToArray();
        if (measured.Length == 0)
        {
            throw new ArgumentException($"The profile of '{profile.Family}' has no variant of '{manifest.Name}'.", nameof(profile));
        }

        var limitUs = maxLatency?.TotalMicroseconds;
        var inTime = measured.Where(candidate => limitUs is null || candidate.UpperUs <= limitUs).ToArray();
        return inTime.Length > 0
            ? MostAccurate(inTime, limitUs, percentile, minAccuracy)
            : Fastest(measured, limitUs!.Value, percentile);
    }

    static Selection MostAccurate(Candidate[] inTime, double? limitUs, int percentile, double? minAccuracy)
    {
        var best = inTime
            .OrderByDescending(candidate => candidate.Variant.Accuracy ?? -1)
            .ThenByDescending(candidate => candidate.Variant.Accuracy is null ? candidate.Variant.Macs : 0)
            .ThenBy(candidate => candidate.OrderUs)
            .First(); // equal in everything: the manifest's order, for the sort keeps it
        var what = best.Variant.Accuracy is { } accuracy
            ? $"'{best.Variant.Id}' is the most accurate variant ({Share(accuracy)})"
            : $"'{best.Variant.Id}' is the largest variant, none having a measured accuracy,";
        var when = limitUs is { } limit
            ? $"that keeps p{percentile} within {Time(limit)}: {best.Bound}"
            : $"and no limit was set; its p{percentile} is {best.Bound}";
        var fits = minAccuracy is null || best.Variant.Accuracy >= minAccuracy;
        var but = fits ? "" : $", but the accuracy asked for is {Share(minAccuracy!.Value)}";
        return new Selection(best.Variant, best.Latency, fits, $"{what} {when}{but}.");
    }

    static Selection Fastest(Candidate[] measured, double limitUs, int percentile)
    {
        var best = measured.OrderBy(candidate => candidate.OrderUs).First();
        var late = best.OrderUs > limitUs
            ? $"{Time(best.OrderUs - limitUs)} too late"
            : "with too few samples to be sure";
        return new Selection(
            best.Variant, best.Latency, false,
            $"No variant keeps p{percentile} within {Time(limitUs)}; '{best.Variant.Id}' is the fastest, {late}: {best.Bound}.");
    }

    static string Time(double microseconds) => microseconds < 1000
        ? string.Create(CultureInfo.InvariantCulture, $"{microseconds:0.#} µs")
        : string.Create(CultureInfo.InvariantCulture, $"{microseconds / 1000:0.###} ms");

    static string Share(double share) => string.Create(CultureInfo.InvariantCulture, $"{share:0.####}");

    readonly record struct Candidate(Variant Variant, VariantLatency Latency, int Percentile)
    {
        // Too small a sample has no bound, so it keeps no limit; to be put in order it still has its value.
        public double UpperUs => Latency.Steady.At(Percentile).UpperUs ?? double.PositiveInfinity;

        public double OrderUs => Latency.Steady.At(Percentile).UpperUs ?? Latency.Steady.At(Percentile).ValueUs;

        public string Bound
        {
            get
            {
                var (value, upper) = Latency.Steady.At(Percentile);
                return upper is { } bound
                    ? $"{Time(value)} measured, at most {Time(bound)} with 95 % confidence"
                    : $"{Time(value)} measured over {Latency.Steady.Samples} samples";
            }
        }
    }
}
