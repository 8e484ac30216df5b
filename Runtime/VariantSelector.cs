using MaestroDeploy.Profiles;

namespace MaestroDeploy.Runtime;

/// <summary>Chooses the variant to run from what a family says and what a device measured; the same two files give the same choice.</summary>
/// <remarks>
/// A latency limit is compared with the upper confidence bound of the percentile (one-sided, 95 %), not with its value, so
/// that a variant is not chosen by luck. The dense baseline is never chosen: a device can do without it.
/// </remarks>
public static class VariantSelector
{
    /// <summary>The most accurate variant that keeps every limit; without one, the best to be had, said so.</summary>
    /// <remarks>
    /// Size and memory come first, then latency, then accuracy: where no variant keeps the first two, the smallest is
    /// taken; where none of those left keeps the latency, the fastest; where the most accurate of the rest is not accurate
    /// enough, that one. Of equal accuracies (or, where none was measured, MACs) the fastest is taken, and of those that are
    /// as fast within the noise the smallest, then the manifest's first.
    /// </remarks>
    /// <param name="manifest">The family.</param>
    /// <param name="profile">What this device measured of it; variants that it lacks are not considered.</param>
    /// <param name="level">What is asked; null for nothing.</param>
    /// <exception cref="FamilyException">The profile has no variant of the family.</exception>
    public static Selection Select(FamilyManifest manifest, LatencyProfile profile, ServiceLevel? level = null)
    {
        level ??= new ServiceLevel();
        var measured = manifest.Variants
            .Select(variant => (variant, latency: profile.Find(variant.Id)))
            .Where(pair => pair.latency is not null)
            .Select(pair => new Candidate(pair.variant, pair.latency!, level))
            .ToArray();
        if (measured.Length == 0)
        {
            throw new FamilyException(manifest.Name, $"The profile of '{profile.Family}' has none of its variants; measure it anew.");
        }

        var small = Array.FindAll(measured, candidate => candidate.KeepsSize && candidate.KeepsMemory);
        var inTime = Array.FindAll(small, candidate => candidate.KeepsLatency);
        return small.Length == 0 ? Smallest(measured, level)
            : inTime.Length == 0 ? Fastest(small, level)
            : MostAccurate(inTime, level);
    }

    static Selection MostAccurate(Candidate[] fitting, ServiceLevel level)
    {
        var merit = fitting.Max(candidate => Merit.Of(candidate.Variant));
        var equals = fitting.Where(candidate => Merit.Of(candidate.Variant) == merit).ToArray();
        var fastest = equals.MinBy(candidate => candidate.OrderUs);
        var tied = equals.Where(candidate => candidate.ValueUs <= fastest.OrderUs && fastest.ValueUs <= candidate.OrderUs).ToArray();
        var best = tied.MinBy(candidate => candidate.Variant.Bytes); // the manifest's first of equals

        var what = best.Variant.Accuracy is { } accuracy
            ? $"'{best.Variant.Id}' is the most accurate variant ({Amounts.Share(accuracy)})"
            : $"'{best.Variant.Id}' is the largest variant, none having a measured accuracy,";
        string[] limits = [.. Limits(level)];
        var when = limits.Length > 0
            ? $"that keeps {string.Join(" and ", limits)}: {best.Bound}"
            : $"and no limit was set; its p{level.Percentile} is {best.Bound}";
        var fits = level.MinAccuracy is null || best.Variant.Accuracy >= level.MinAccuracy;
        var but = fits ? "" : $", but the accuracy asked for is {Amounts.Share(level.MinAccuracy!.Value)}";
        var others = string.Join(", ", tied.Where(candidate => candidate != best).Select(candidate => $"'{candidate.Variant.Id}'"));
        var tie = others.Length > 0 ? $" As accurate and, within the noise, as fast: {others}; of those the smallest was taken." : "";
        return new Selection(best.Variant, best.Latency, fits, $"{what} {when}{but}.{tie}");
    }

    static Selection Fastest(Candidate[] small, ServiceLevel level)
    {
        var best = small.MinBy(candidate => candidate.OrderUs);
        var limitUs = level.MaxLatency!.Value.TotalMicroseconds;
        var late = best.OrderUs > limitUs
            ? $"{Amounts.Time(best.OrderUs - limitUs)} too late"
            : "with too few samples to be sure";
        return new Selection(
            best.Variant, best.Latency, false,
            $"No variant keeps {string.Join(" and ", Limits(level))}; '{best.Variant.Id}' is the fastest, {late}: {best.Bound}.");
    }

    static Selection Smallest(Candidate[] measured, ServiceLevel level)
    {
        var bySize = !measured.Any(candidate => candidate.KeepsSize);
        var best = bySize
            ? measured.MinBy(candidate => candidate.Variant.Bytes)
            : measured.Where(candidate => candidate.KeepsSize).MinBy(candidate => candidate.Latency.PrivateBytes ?? long.MaxValue);
        var found = bySize ? $"{Amounts.Bytes(best.Variant.Bytes)} of files"
            : best.Latency.PrivateBytes is { } bytes ? $"{Amounts.Bytes(bytes)} of memory"
            : "and its memory was not measured; measure the family again";
        return new Selection(
            best.Variant, best.Latency, false,
            $"No variant keeps {string.Join(" and ", Limits(level))}; '{best.Variant.Id}' is the smallest: {found}.");
    }

    static IEnumerable<string> Limits(ServiceLevel level)
    {
        if (level.MaxLatency is { } latency)
        {
            yield return $"p{level.Percentile} within {Amounts.Time(latency.TotalMicroseconds)}";
        }

        if (level.MaxBytes is { } bytes)
        {
            yield return $"its files within {Amounts.Bytes(bytes)}";
        }

        if (level.MaxMemoryBytes is { } memory)
        {
            yield return $"its memory within {Amounts.Bytes(memory)}";
        }
    }

    readonly record struct Candidate(Variant Variant, VariantLatency Latency, ServiceLevel Level)
    {
        public bool KeepsSize => Level.KeepsSize(Variant);

        public bool KeepsMemory => Level.KeepsMemory(Latency);

        public bool KeepsLatency => Level.KeepsLatency(Latency);

        public double ValueUs => Latency.Steady.At(Level.Percentile).ValueUs;

        // To be put in order a sample that is too small to have a bound still has its value.
        public double OrderUs => UpperUs ?? ValueUs;

        public string Bound => UpperUs is { } bound
            ? $"{Amounts.Time(ValueUs)} measured, at most {Amounts.Time(bound)} with 95 % confidence"
            : $"{Amounts.Time(ValueUs)} measured over {Latency.Steady.Samples} samples";

        double? UpperUs => Latency.Steady.At(Level.Percentile).UpperUs;
    }
}
