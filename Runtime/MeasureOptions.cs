using MaestroDeploy.Profiles;

namespace MaestroDeploy.Runtime;

/// <summary>How long to measure.</summary>
public enum MeasureMode
{
    /// <summary>At least 64 samples a variant and 3 seconds in all; warming up ends after half a second a variant.</summary>
    Quick,

    /// <summary>At least 1024 samples a variant and 60 seconds in all; warming up may take 10 seconds a variant.</summary>
    Full,
}

/// <summary>How to measure: for how long, in what batches, on inputs of what seed.</summary>
public sealed record MeasureOptions
{
    /// <summary>How long to measure. Default: quick.</summary>
    public MeasureMode Mode { get; init; }

    /// <summary>Samples in one run, 1 or more. Default: 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public int Batch
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(Batch), value, "A batch has 1 sample or more.");
    }
    = 1;

    /// <summary>The size of every axis but the batch that a graph leaves open, such as a text's length; 1 or more. Default: 16.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public int OpenAxis
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(OpenAxis), value, "An open axis has a size of 1 or more.");
    }
    = 16;

    /// <summary>Seed of the inputs and of the order of turns. Default: 0.</summary>
    public int Seed { get; init; }

    /// <summary>How something was measured by these options, to be kept with what it came to.</summary>
    /// <param name="mode">One of <see cref="Measurement"/>'s modes.</param>
    /// <param name="settings">How graphs were run.</param>
    /// <param name="order">How the runs followed one another, in plain words.</param>
    /// <param name="rounds">Times that every graph had its turn.</param>
    /// <param name="measuredUtc">When it began.</param>
    public Measurement Described(string mode, SessionSettings settings, string order, int rounds, DateTimeOffset measuredUtc) => new()
    {
        Mode = mode,
        Provider = settings.Device.ToString(),
        Threads = settings.Threads,
        Spinning = settings.Spinning,
        Prepacked = settings.Prepack,
        Batch = Batch,
        OpenAxis = OpenAxis,
        Order = order,
        Rounds = rounds,
        Seed = Seed,
        MeasuredUtc = measuredUtc,
    };
}

/// <summary>How far a measurement is. Reported between runs, never while one is timed.</summary>
/// <param name="Doing">The step, for people: <c>load</c>, <c>warm up b50</c>, <c>measure</c>.</param>
/// <param name="Share">The share of the whole that is done, in 0..1.</param>
public sealed record MeasureProgress(string Doing, double Share);
