using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Compressor.Training.Samplers;

/// <summary>One share a step, and every layer cut by it at once: a deployed variant cuts all layers, so that is what is trained.</summary>
/// <remarks>
/// A share is taken in one of two ways, each half of the time, since families are cut in both: of every layer's rank, or of the factored
/// layers' multiply-accumulates, by one share in which narrow layers keep a floor (<see cref="UniformRanks"/>): of linear layers the plan that an export
/// makes of such a budget; it moves convolutions on, to full blocks of channels.
/// </remarks>
/// <param name="seed">The run's seed.</param>
/// <param name="layers">The factored layers and what they cost.</param>
/// <param name="smallest">The smallest share, in (0, 1].</param>
/// <param name="logarithmic">The probability that a share is drawn log-uniformly, and not uniformly, 0 to 1.</param>
public sealed class NestedSampler(int seed, IReadOnlyList<PairCost> layers, double smallest, double logarithmic = 1) : IRankSampler
{
    // Of the layers that a cut can change: of a model's whole cost, a small share may be less than what no cut takes away.
    readonly long _dense = layers.Sum(layer => layer.DenseMacs);

    /// <inheritdoc/>
    public int[] Draw(IReadOnlyList<int> current, SamplingPlace at)
    {
        var random = RandomStreams.At(seed, RandomUse.Ranks, at.Step);
        var (isLogarithmic, isOfRanks) = (random.NextDouble() < logarithmic, random.NextDouble() < 0.5);
        var place = random.NextDouble();
        var share = isLogarithmic ? Math.Pow(smallest, place) : 1 - place * (1 - smallest);
        return isOfRanks ? OfRanks(current, share) : OfCost(current, share);
    }

    static int[] OfRanks(IReadOnlyList<int> current, double share) => [.. current.Select(rank => (int)Math.Ceiling(share * rank))];

    int[] OfCost(IReadOnlyList<int> current, double share)
    {
        // A removed layer costs next to nothing, whatever rank it is said to have.
        var ranks = UniformRanks.Within([.. layers.Zip(current, (layer, rank) => layer with { Rank = Math.Max(1, rank) })], (layer, rank) => layer.MacsAt(rank), share * _dense);
        return [.. ranks.Zip(current, Math.Min)];
    }
}
