using System.Text.Json.Serialization;

namespace MaestroDeploy.Profiles;

/// <summary>What cutting each layer of one trained model alone does to its answers: what a plan weighs against cost.</summary>
public sealed record ErrorTable : IVersioned
{
    /// <inheritdoc/>
    [JsonIgnore]
    public static int CurrentSchema => 1;

    /// <inheritdoc/>
    public int SchemaVersion { get; } = CurrentSchema;

    /// <summary>SHA-256 of the model's file: other weights have other errors.</summary>
    public required string SourceSha256 { get; init => field = Check.Sha256(value); }

    /// <summary>The samples that it was measured on.</summary>
    public required string Data { get; init => field = Check.Text(value); }

    /// <summary>SHA-256 of the first of them as they were fed: the same set scaled otherwise has other errors.</summary>
    public required string DataSha256 { get; init => field = Check.Sha256(value); }

    /// <summary>How many they were.</summary>
    public required int Samples { get; init => field = Check.AtLeast(1, value); }

    /// <summary><c>divergence</c>: the mean Kullback-Leibler divergence, in nats, of the cut model's class probabilities from the uncut
    /// model's; <c>distance</c>: the squared distance of the outputs over their squared length.</summary>
    public required string Measure { get; init => field = Check.OneOf(value, ["divergence", "distance"]); }

    /// <summary>The factored layers, in the order of the graph.</summary>
    public required IReadOnlyList<LayerErrors> Layers { get; init => field = Check.Distinct(value, layer => layer.Layer); }
}

/// <summary>The error of one layer at some ranks, the others uncut.</summary>
/// <param name="Layer">The layer's name.</param>
/// <param name="Ranks">The ranks tried, ascending.</param>
/// <param name="Errors">What each costs, never rising with the rank.</param>
public sealed record LayerErrors(string Layer, IReadOnlyList<int> Ranks, IReadOnlyList<double> Errors)
{
    /// <summary>The layer's name.</summary>
    public string Layer { get; } = Check.Text(Layer);

    /// <summary>The ranks tried, ascending, each 1 or more.</summary>
    public IReadOnlyList<int> Ranks { get; } = Check.Ranks(Ranks);

    /// <summary>The error at each of <see cref="Ranks"/>, 0 or more, never rising.</summary>
    public IReadOnlyList<double> Errors { get; } = Falling(Errors, Ranks.Count);

    static IReadOnlyList<double> Falling(IReadOnlyList<double> errors, int count) =>
        errors.Count == count && errors.All(error => error >= 0 && double.IsFinite(error)) && errors.Zip(errors.Skip(1)).All(pair => pair.First >= pair.Second)
            ? [.. errors]
            : throw new ArgumentException($"There must be {count} errors of 0 or more that never rise with the rank; found {string.Join(", ", errors)}.");
}
