namespace MaestroDeploy.Profiles;

/// <summary>What one variant took on one device: loading, the first run and steady runs, never mixed.</summary>
public sealed record VariantLatency(
    string Id, double LoadMs, double FirstRunUs, int WarmUpRuns, bool WarmUpSettled, LatencyStatistics Steady)
{
    /// <summary>The variant's id in its family.</summary>
    public string Id { get; } = Check.Text(Id);

    /// <summary>From the file to a session ready to run, in milliseconds.</summary>
    public double LoadMs { get; } = Check.NotNegative(LoadMs);

    /// <summary>The very first run, which still reads the weights and sets up buffers, in microseconds.</summary>
    public double FirstRunUs { get; } = Check.NotNegative(FirstRunUs);

    /// <summary>Private memory that loading and the first run took, in bytes; null in profiles older than this number.</summary>
    public long? PrivateBytes { get; init => field = value is { } bytes ? Check.AtLeast(0L, bytes) : null; }

    /// <summary>Untimed runs between the first one and the samples.</summary>
    public int WarmUpRuns { get; } = Check.AtLeast(0, WarmUpRuns);

    /// <summary>Whether warming up ended because the times had settled, rather than because its time was over.</summary>
    public bool WarmUpSettled { get; init; } = WarmUpSettled;

    /// <summary>The timed runs.</summary>
    public LatencyStatistics Steady { get; init => field = Bounded(value); } = Bounded(Steady);

    static LatencyStatistics Bounded(LatencyStatistics statistics)
    {
        foreach (var percentile in LatencyStatistics.DecidedBy)
        {
            if (statistics.At(percentile) is var (value, upper) && upper < value)
            {
                throw new ArgumentException(FormattableString.Invariant($"The upper bound of p{percentile} must not be below it; found {upper} and {value}."));
            }
        }

        return statistics;
    }
}
