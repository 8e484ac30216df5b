namespace MaestroDeploy.Profiles;

/// <summary>How a latency profile was measured: what must be known before two of them are compared.</summary>
public sealed record Measurement
{
    /// <summary>The values of <see cref="Mode"/>.</summary>
    public const string Quick = "quick", Full = "full", Calibrated = "calibrated";

    /// <summary><c>quick</c> (at least 64 samples a variant and 3 s in all), <c>full</c> (1024 and 60 s), or <c>calibrated</c>
    /// (64 samples and half a second, and only of the variants that one choice needed).</summary>
    public required string Mode { get; init => field = Check.OneOf(value, [Quick, Full, Calibrated]); }

    /// <summary>What ran the graphs: <c>cpu</c> or <c>cuda:0</c>.</summary>
    public required string Provider { get; init => field = Check.Provider(value); }

    /// <summary>Threads within one operator.</summary>
    public required int Threads { get; init => field = Check.AtLeast(1, value); }

    /// <summary>Whether idle threads spin, which answers sooner and burns the cores; null where a profile does not say.</summary>
    public bool? Spinning { get; init; }

    /// <summary>Whether weights were rearranged at load for faster runs; null where a profile does not say.</summary>
    public bool? Prepacked { get; init; }

    /// <summary>Samples in one run.</summary>
    public required int Batch { get; init => field = Check.AtLeast(1, value); }

    /// <summary>The size given to every other axis that the graphs leave open; absent in profiles older than the choice.</summary>
    public int? OpenAxis { get; init => field = value is { } size ? Check.AtLeast(1, size) : null; }

    /// <summary>How the runs of different variants followed one another, in plain words.</summary>
    public required string Order { get; init => field = Check.Text(value); }

    /// <summary>Times that every variant had its turn.</summary>
    public required int Rounds { get; init => field = Check.AtLeast(1, value); }

    /// <summary>Seed of the order and of the inputs.</summary>
    public required int Seed { get; init; }

    /// <summary>When it was measured, in UTC.</summary>
    public required DateTimeOffset MeasuredUtc { get; init; }

    /// <summary>The use that it measured; a setting that it does not say counts as the default.</summary>
    /// <param name="leavesAxesOpen">Whether the family leaves axes after the batch open, hence their size matters.</param>
    public RunConditions Use(bool leavesAxesOpen) => new()
    {
        Provider = Provider,
        Threads = Threads,
        Spinning = Spinning ?? true,
        Prepacked = Prepacked ?? true,
        Batch = Batch,
        OpenAxis = leavesAxesOpen ? OpenAxis : null,
    };

    /// <summary>How it differs from a use, as a sentence; null when it was measured in that way.</summary>
    /// <param name="use">How the family is to be run.</param>
    public string? DifferenceFrom(RunConditions use) =>
        Provider != use.Provider ? $"It was measured on {Provider}, not on {use.Provider}."
        : Threads != use.Threads ? $"It was measured with {Threads} threads, not {use.Threads}."
        : Spinning is null ? "It does not say whether its idle threads spun."
        : Spinning != use.Spinning ? $"It was measured with idle threads that {(use.Spinning ? "sleep, not spin" : "spin, not sleep")}."
        : Prepacked is null ? "It does not say whether its weights were prepacked."
        : Prepacked != use.Prepacked ? $"It was measured {(use.Prepacked ? "on mapped weights, not prepacked" : "with prepacked weights, not on mapped")} ones."
        : Batch != use.Batch ? $"It was measured with batch {Batch}, not {use.Batch}."
        : use.OpenAxis is not null && OpenAxis != use.OpenAxis ? $"It was measured with open axes of {(OpenAxis is { } size ? $"{size}" : "a size that it does not say")}, not {use.OpenAxis}."
        : null;
}
