using System.Text.Json.Serialization;

namespace MaestroDeploy.Profiles;

/// <summary>One plan of a family, exported as one graph, with what is known about it on every machine.</summary>
public sealed record Variant
{
    /// <summary>Its name, unique in the family.</summary>
    public required string Id { get; init => field = Check.BareFileName(value); }

    /// <summary>Its graph, a bare file name in the family's folder.</summary>
    public required string File { get; init => field = Check.BareFileName(value); }

    /// <summary>The share of the dense cost that was asked for, in (0, 1]; null for the dense variant.</summary>
    public double? Budget { get; init => field = value is { } share ? new Budget(share).Share : null; }

    /// <summary>The rank of each layer; null for the dense variant.</summary>
    public RankPlan? Plan { get; init; }

    /// <summary>The layers that are written as identity blocks, on weights of their own; null for none.</summary>
    public IReadOnlyList<string>? IdentityBlocks { get; init => field = value is null ? null : Check.List(value); }

    /// <summary>Numbers in its weights.</summary>
    public required long Params { get; init => field = Check.AtLeast(0L, value); }

    /// <summary>Multiply-accumulates for one sample.</summary>
    public required long Macs { get; init => field = Check.AtLeast(0L, value); }

    /// <summary>Bytes it reads: its graph and its weights, those it shares with other variants included.</summary>
    public required long Bytes { get; init => field = Check.AtLeast(0L, value); }

    /// <summary>Share of correct answers of the exported graph, in 0..1; null when not measured.</summary>
    public double? Accuracy { get; init => field = Check.Share(value); }

    /// <summary>e to the mean cross-entropy in nats, of models of language, 1 and more; null for others.</summary>
    public double? Perplexity { get; init => field = Check.NotNegative(value); }

    /// <summary>Samples behind <see cref="Accuracy"/>.</summary>
    public int? AccuracySamples { get; init => field = value is { } samples ? Check.AtLeast(1, samples) : null; }

    /// <summary>The data set behind <see cref="Accuracy"/>.</summary>
    public string? AccuracyData { get; init; }

    /// <summary>The accuracy, in 0..1, that this variant is the cheapest found to reach; null where none was looked for.</summary>
    /// <remarks>It was chosen by its accuracy on <see cref="AccuracyData"/>, which therefore flatters it: a new sample of such data may well bring it below.</remarks>
    public double? AccuracyFloor { get; init => field = Check.Share(value); }

    /// <summary>How far the accuracy on all such data may lie from <see cref="Accuracy"/> by chance, at 95 % of the times; null when not measured.</summary>
    [JsonIgnore]
    public double? AccuracyMargin => Accuracy is { } share && AccuracySamples is { } samples ? 1.96 * Math.Sqrt(share * (1 - share) / samples) : null;

    /// <summary>How far its outputs lie from the dense model's; null in families older than this number.</summary>
    public OutputDistance? Distance { get; init; }

    /// <summary>Largest absolute difference of an output from its reference; null when not compared.</summary>
    public double? MaxDifference { get; init => field = Check.NotNegative(value); }
}
