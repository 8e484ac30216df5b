using System.Diagnostics;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Benchmarks.Runtime;

/// <summary>Choosing among eight variants on a device never seen: how long a calibration takes, and how often it chooses as the full profile does.</summary>
static class SelectingHere
{
    const int Repetitions = 10;

    public static void Run(string[] args)
    {
        var family = ServedFamily.LargeOfEight();
        var settings = new SessionSettings { Threads = 1 };
        var meter = new LatencyMeter();
        var full = meter.Measure(family, settings, new MeasureOptions { Mode = MeasureMode.Full });
        foreach (var percentile in new[] { 90, 50 })
        {
            Compare(family, settings, meter, full, percentile);
        }
    }

    static void Compare(Family family, SessionSettings settings, LatencyMeter meter, LatencyProfile full, int percentile)
    {
        var bounds = full.Variants.Select(variant => variant.Steady.At(percentile).UpperUs!.Value).Order().ToArray();
        Console.WriteLine($"full profile, upper bounds of p{percentile}: {string.Join(", ", full.Variants.Select(variant => $"{variant.Id} {variant.Steady.At(percentile).UpperUs:0} µs"))}");

        var same = 0;
        List<double> seconds = [];
        for (var i = 0; i < Repetitions; i++)
        {
            // Limits between two neighbours' bounds, and one that all keep.
            var step = i % bounds.Length;
            var limitUs = step == bounds.Length - 1 ? 2 * bounds[^1] : Math.Sqrt(bounds[step] * bounds[step + 1]);
            var level = new ServiceLevel { MaxLatency = TimeSpan.FromMicroseconds(limitUs), Percentile = percentile };
            var start = Stopwatch.GetTimestamp();
            var profile = meter.Calibrate(family, settings, level, new MeasureOptions());
            seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            var (wanted, chosen) = (VariantSelector.Select(family.Manifest, full, level).Variant.Id, VariantSelector.Select(family.Manifest, profile, level).Variant.Id);
            same += wanted == chosen ? 1 : 0;
            Console.WriteLine($"  limit {limitUs:0} µs: {chosen} in {seconds[^1]:0.00} s from {profile.Variants.Count} measured ({string.Join(", ", profile.Variants.Select(variant => variant.Id))}); full profile: {wanted}");
        }

        Console.WriteLine($"{same} of {Repetitions} as the full profile; median {InTurns.Median(seconds):0.00} s, longest {seconds.Max():0.00} s");
    }
}
