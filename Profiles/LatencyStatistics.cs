namespace MaestroDeploy.Profiles;

/// <summary>What repeated timed runs of one graph came to, in microseconds. No run is left out as an outlier.</summary>
/// <remarks>Percentiles are those of <see cref="Percentiles"/>; upper bounds are one-sided at 95 %.</remarks>
public sealed record LatencyStatistics
{
    // MLPerf LoadGen's floor for a 99th percentile: below it the value says little.
    const int FewestForP99 = 662;

    /// <summary>The percentiles to decide by: 50, 90 and 95.</summary>
    public static IReadOnlyList<int> DecidedBy { get; } = [50, 90, 95];

    /// <summary>Timed runs behind every other number.</summary>
    public required int Samples { get; init => field = Check.AtLeast(1, value); }

    /// <summary>The fastest run.</summary>
    public required double MinUs { get; init => field = Check.NotNegative(value); }

    /// <summary>The median.</summary>
    public required double P50Us { get; init => field = Check.NotNegative(value); }

    /// <summary>The 90th percentile.</summary>
    public required double P90Us { get; init => field = Check.NotNegative(value); }

    /// <summary>The 95th percentile.</summary>
    public required double P95Us { get; init => field = Check.NotNegative(value); }

    /// <summary>The 99th percentile; null with fewer than 662 samples.</summary>
    public double? P99Us { get; init => field = Check.NotNegative(value); }

    /// <summary>Upper confidence bound of the median; null with too few samples.</summary>
    public double? P50UpperUs { get; init => field = Check.NotNegative(value); }

    /// <summary>Upper confidence bound of the 90th percentile; null with fewer than 29 samples.</summary>
    public double? P90UpperUs { get; init => field = Check.NotNegative(value); }

    /// <summary>Upper confidence bound of the 95th percentile; null with fewer than 59 samples.</summary>
    public double? P95UpperUs { get; init => field = Check.NotNegative(value); }

    /// <summary>Median distance from the median.</summary>
    public required double MadUs { get; init => field = Check.NotNegative(value); }

    /// <summary>Standard deviation over mean; no unit.</summary>
    public required double CoefficientOfVariation { get; init => field = Check.NotNegative(value); }

    /// <summary>Whether runs varied by more than a tenth: something else was busy, and the numbers will move.</summary>
    public bool Unstable => CoefficientOfVariation > 0.10;

    /// <summary>The statistics of a sample.</summary>
    /// <param name="microseconds">At least one duration, in any order.</param>
    /// <exception cref="ArgumentException">The sample is empty, or holds a negative or non-finite duration.</exception>
    public static LatencyStatistics Of(ReadOnlySpan<double> microseconds)
    {
        var sorted = microseconds.ToArray();
        Array.Sort(sorted);
        var median = Percentiles.Value(sorted, 0.50);
        var distances = Array.ConvertAll(sorted, value => Math.Abs(value - median));
        Array.Sort(distances);
        return new LatencyStatistics
        {
            Samples = sorted.Length,
            MinUs = sorted[0],
            P50Us = median,
            P90Us = Percentiles.Value(sorted, 0.90),
            P95Us = Percentiles.Value(sorted, 0.95),
            P99Us = sorted.Length >= FewestForP99 ? Percentiles.Value(sorted, 0.99) : null,
            P50UpperUs = Percentiles.UpperBound(sorted, 0.50, 0.95),
            P90UpperUs = Percentiles.UpperBound(sorted, 0.90, 0.95),
            P95UpperUs = Percentiles.UpperBound(sorted, 0.95, 0.95),
            MadUs = Percentiles.Value(distances, 0.50),
            CoefficientOfVariation = Variation(sorted),
        };
    }

    /// <summary>A percentile and its upper confidence bound.</summary>
    /// <param name="percentile">50, 90 or 95.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="percentile"/> is another.</exception>
    public (double ValueUs, double? UpperUs) At(int percentile) => percentile switch
    {
        50 => (P50Us, P50UpperUs),
        90 => (P90Us, P90UpperUs),
        95 => (P95Us, P95UpperUs),
        _ => throw new ArgumentOutOfRangeException(nameof(percentile), percentile, "A percentile to decide by is 50, 90 or 95."),
    };

    static double Variation(double[] values)
    {
        var mean = values.Average();
        var variance = values.Sum(value => (value - mean) * (value - mean)) / Math.Max(1, values.Length - 1);
        return mean > 0 ? Math.Sqrt(variance) / mean : 0;
    }
}
