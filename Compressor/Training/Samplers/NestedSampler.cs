using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Compressor.Training.Samplers;

/// <summary>One share a step, and every layer cut to it at once: a deployed variant cuts all layers, so that is what is trained.</summary>
/// <param name="seed">The run's seed.</param>
/// <param name="smallest">The smallest share, in (0, 1].</param>
/// <param name="logarithmic">The probability that a share is drawn log-uniformly instead of uniformly, 0 to 1.</param>
/// <param name="withSmallest">Whether each step trains the smallest share too.</param>
/// <param name="layers">For narrow layers' floors.</param>
/// <param name="floored">The probability of a floor.</param>
public sealed class NestedSampler(int seed, double smallest, double logarithmic, bool withSmallest, IReadOnlyList<PairCost> layers, double floored) : IRankSampler
{
    /// <inheritdoc/>
    public IReadOnlyList<int[]> Draw(IReadOnlyList<int> current, SamplingPlace at)
    {
        var random = RandomStreams.At(seed, RandomUse.Ranks, at.Step);
        var isLogarithmic = random.NextDouble() < logarithmic;
        var place = random.NextDouble();
        var share = isLogarithmic ? Math.Exp(place * Math.Log(smallest)) : smallest + place * (1 - smallest);
        if (floored == 2)
        {
            var second = random.NextDouble();
            return [Literal(current, share), Floor(current, Math.Exp(second * Math.Log(smallest)))];
        }

        int[] drawn = Cut(current, share, random);
        return withSmallest ? [Cut(current, smallest, random), drawn] : [drawn];
    }

    int[] Cut(IReadOnlyList<int> current, double share, Random random)
    {
        if (random.NextDouble() < floored)
        {
            return Floor(current, share);
        }

        return Literal(current, share);
    }

    static int[] Literal(IReadOnlyList<int> current, double share) => [.. current.Select(most => most == 0 ? 0 : (int)Math.Ceiling(share * most))];

    int[] Floor(IReadOnlyList<int> current, double share)
    {
        var dense = layers.Sum(layer => layer.DenseMacs);
        var within = UniformRanks.Within([.. layers.Zip(current, (layer, rank) => layer with { Rank = rank })], (layer, rank) => layer.MacsAt(rank), dense * share);
        return within;
    }
}
