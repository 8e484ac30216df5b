namespace MaestroDeploy.Profiles;

/// <summary>One variant as the command line prints it: what the family says and what this device measured, in one flat record.</summary>
public sealed record VariantReport
{
    /// <summary>Its id in the family.</summary>
    public required string Id { get; init; }

    /// <summary>Its graph's file name.</summary>
    public required string File { get; init; }

    /// <summary>Numbers in its weights.</summary>
    public required long Params { get; init; }

    /// <summary>Multiply-accumulates for one sample.</summary>
    public required long Macs { get; init; }

    /// <summary>Bytes of its graph and weights.</summary>
    public required long Bytes { get; init; }

    /// <summary>Share of correct answers, in 0..1; absent when not measured.</summary>
    public double? Accuracy { get; init; }

    /// <summary>The accuracy, in 0..1, that it is the cheapest found to reach; absent where none was looked for.</summary>
    public double? AccuracyFloor { get; init; }

    /// <summary>e to the mean cross-entropy in nats, of models of language; absent for others.</summary>
    public double? Perplexity { get; init; }

    /// <summary>How far its outputs lie from the dense model's; absent when not compared.</summary>
    public OutputDistance? Distance { get; init; }

    /// <summary>Median latency in microseconds; absent, like those below, when not measured here.</summary>
    public double? P50Us { get; init; }

    /// <summary>90th percentile in microseconds.</summary>
    public double? P90Us { get; init; }

    /// <summary>Load in milliseconds.</summary>
    public double? LoadMs { get; init; }

    /// <summary>First run in microseconds.</summary>
    public double? FirstRunUs { get; init; }

    /// <summary>Timed runs behind the percentiles.</summary>
    public int? Samples { get; init; }

    /// <summary>The share of the dense cost that was asked for; absent for the dense variant.</summary>
    public double? Budget { get; init; }

    /// <summary>The rank of each layer; absent for the dense variant.</summary>
    public RankPlan? Plan { get; init; }

    /// <summary>The layers that are written as identity blocks; absent where there are none.</summary>
    public IReadOnlyList<string>? IdentityBlocks { get; init; }

    /// <summary>Largest absolute difference of an output from its reference; absent when not compared.</summary>
    public double? MaxDifference { get; init; }

    /// <summary>Lays a variant and its latency side by side.</summary>
    /// <param name="variant">What the family says.</param>
    /// <param name="latency">What this device measured, if it did.</param>
    public static VariantReport Of(Variant variant, VariantLatency? latency) => new()
    {
        Id = variant.Id,
        File = variant.File,
        Params = variant.Params,
        Macs = variant.Macs,
        Bytes = variant.Bytes,
        Accuracy = variant.Accuracy,
        AccuracyFloor = variant.AccuracyFloor,
        Perplexity = variant.Perplexity,
        Distance = variant.Distance,
        P50Us = latency?.Steady.P50Us,
        P90Us = latency?.Steady.P90Us,
        LoadMs = latency?.LoadMs,
        FirstRunUs = latency?.FirstRunUs,
        Samples = latency?.Steady.Samples,
        Budget = variant.Budget,
        Plan = variant.Plan,
        IdentityBlocks = variant.IdentityBlocks,
        MaxDifference = variant.MaxDifference,
    };
}
