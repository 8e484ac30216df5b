using System.Text.Json.Serialization;

namespace MaestroDeploy.Profiles;

/// <summary>What each layer of a network takes on one device, dense and at some ranks: a plan in milliseconds for that device can be made anywhere.</summary>
/// <remarks>It belongs to a network's shape, not to its weights: another training of the same network can use it.</remarks>
public sealed record LayerLatencies : IVersioned
{
    /// <inheritdoc/>
    [JsonIgnore]
    public static int CurrentSchema => 1;

    /// <inheritdoc/>
    public int SchemaVersion { get; } = CurrentSchema;

    /// <summary>The machine.</summary>
    public required DeviceFingerprint Device { get; init; }

    /// <summary>How it was measured.</summary>
    public required Measurement Measurement { get; init; }

    /// <summary>Median latency of the whole dense model, in microseconds.</summary>
    public required double DenseUs { get; init => field = Check.NotNegative(value); }

    /// <summary>What a run takes outside the layers: the call, and nodes that no plan changes, in microseconds.</summary>
    public required double FixedUs { get; init => field = Check.NotNegative(value); }

    /// <summary>The factorable layers, in the order of the graph.</summary>
    public required IReadOnlyList<LayerLatency> Layers { get; init => field = Check.Distinct(Check.Inhabited(value), layer => layer.Layer); }

    /// <summary>Whole models that the table was held against: what it foretold and what was measured.</summary>
    public IReadOnlyList<LatencyCheck> Checks { get; init => field = Check.List(value); } = [];

    /// <summary>The median of |foretold − measured| / measured over <see cref="Checks"/>; null without any.</summary>
    [JsonIgnore]
    public double? MedianError => Checks.Count == 0 ? null
        : Percentiles.Median(Checks.Select(check => Math.Abs(check.PredictedUs - check.MeasuredUs) / check.MeasuredUs));
}

/// <summary>What one layer takes on a device, with whatever ONNX Runtime fuses into it.</summary>
/// <param name="Layer">The layer's name.</param>
/// <param name="Out">Rows of its dense weight.</param>
/// <param name="In">Columns of its dense weight.</param>
/// <param name="DenseUs">As one dense node, in microseconds.</param>
/// <param name="Ranks">The ranks measured, ascending.</param>
/// <param name="PairUs">As a pair of factors at each of the ranks, in microseconds.</param>
/// <param name="IdentityUs">As an identity block at each of the ranks, in microseconds; null for a convolution.</param>
public sealed record LayerLatency(string Layer, int Out, int In, double DenseUs, IReadOnlyList<int> Ranks, IReadOnlyList<double> PairUs, IReadOnlyList<double>? IdentityUs = null)
{
    /// <summary>The layer's name.</summary>
    public string Layer { get; } = Check.Text(Layer);

    /// <summary>Rows of its dense weight.</summary>
    public int Out { get; } = Check.AtLeast(1, Out);

    /// <summary>Columns of its dense weight.</summary>
    public int In { get; } = Check.AtLeast(1, In);

    /// <summary>As one dense node, in microseconds.</summary>
    public double DenseUs { get; } = Check.NotNegative(DenseUs);

    /// <summary>The ranks measured, ascending.</summary>
    public IReadOnlyList<int> Ranks { get; } = Check.Inhabited(Check.Ranks(Ranks));

    /// <summary>As a pair of factors at each of the ranks, in microseconds.</summary>
    public IReadOnlyList<double> PairUs { get; } = Times(PairUs, Ranks.Count);

    /// <summary>As an identity block at each of the ranks, in microseconds; null where it was not measured.</summary>
    public IReadOnlyList<double>? IdentityUs { get; } = IdentityUs is null ? null : Times(IdentityUs, Ranks.Count);

    static IReadOnlyList<double> Times(IReadOnlyList<double> times, int count) => times.Count == count && times.All(time => time >= 0 && double.IsFinite(time))
        ? [.. times]
        : throw new ArgumentException($"There must be a time of 0 or more for each of {count} ranks; found {string.Join(", ", times)}.");
}

/// <summary>One whole model held against a table.</summary>
/// <param name="Plan">Its ranks.</param>
/// <param name="PredictedUs">What the table foretold, in microseconds.</param>
/// <param name="MeasuredUs">The median that was measured, in microseconds.</param>
public sealed record LatencyCheck(RankPlan Plan, double PredictedUs, double MeasuredUs);
