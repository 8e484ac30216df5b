using MaestroDeploy.Profiles;

namespace MaestroDeploy.Runtime;

/// <summary>What is asked of a variant on a device. What is left out is not asked for; each limit itself is allowed.</summary>
public sealed record ServiceLevel
{
    /// <summary>The longest latency wanted, above zero; null for any.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not above zero.</exception>
    public TimeSpan? MaxLatency
    {
        get;
        init => field = value is null || value > TimeSpan.Zero
            ? value
            : throw new ArgumentOutOfRangeException(nameof(MaxLatency), value, "A latency limit must be longer than nothing.");
    }

    /// <summary>The percentile that the latency holds for: 50, 90 or 95. Default: 90.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is another.</exception>
    public int Percentile
    {
        get;
        init => field = LatencyStatistics.DecidedBy.Contains(value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(Percentile), value, "A percentile to decide by is 50, 90 or 95.");
    }
    = 90;

    /// <summary>The lowest accuracy wanted, in 0..1; null for any.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside its range.</exception>
    public double? MinAccuracy
    {
        get;
        init => field = value is null or (>= 0 and <= 1)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(MinAccuracy), value, "An accuracy lies in 0..1.");
    }

    /// <summary>The most bytes that a variant's graph and weights may have, 1 or more; null for any.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public long? MaxBytes
    {
        get;
        init => field = value is null or >= 1
            ? value
            : throw new ArgumentOutOfRangeException(nameof(MaxBytes), value, "A size limit is 1 byte or more.");
    }

    /// <summary>The most private memory that a loaded variant may have taken when it was measured, in bytes, 1 or more; null for any.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public long? MaxMemoryBytes
    {
        get;
        init => field = value is null or >= 1
            ? value
            : throw new ArgumentOutOfRangeException(nameof(MaxMemoryBytes), value, "A memory limit is 1 byte or more.");
    }

    internal bool KeepsSize(Variant variant) => MaxBytes is null || variant.Bytes <= MaxBytes;

    // What was not measured keeps no limit.
    internal bool KeepsMemory(VariantLatency? latency) => MaxMemoryBytes is null || latency?.PrivateBytes <= MaxMemoryBytes;

    // Nor does a sample that is too small to have a bound.
    internal bool KeepsLatency(VariantLatency latency) => MaxLatency is not { } limit || latency.Steady.At(Percentile).UpperUs <= limit.TotalMicroseconds;
}
