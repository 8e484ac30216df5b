using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Compressor.Training.Samplers;

/// <summary>One of some given plans a step, in an order drawn anew each time that all have come: what is to be exported is what is trained.</summary>
/// <remarks>Source: FlexRank (arXiv:2602.02680), whose consolidation draws from the random permutations of its profiles.</remarks>
public sealed class PlanSampler : IRankSampler
{
    readonly int _seed;
    readonly int[][] _plans;

    /// <param name="seed">The run's seed.</param>
    /// <param name="layers">The factored layers.</param>
    /// <param name="plans">Each plan's ranks by layer, 1 and more; a layer that a plan does not name is left at its current rank. At least one plan.</param>
    /// <exception cref="ArgumentException">There is no plan, or one names a layer that the model has not factored.</exception>
    public PlanSampler(int seed, IReadOnlyList<FactorPair> layers, IReadOnlyList<IReadOnlyDictionary<string, int>> plans)
    {
        string[] names = [.. layers.Select(layer => layer.Layer)];
        if (plans.SelectMany(plan => plan.Keys).Except(names).FirstOrDefault() is { } unknown)
        {
            throw new ArgumentException($"A plan names layer '{unknown}', which is not among the model's factored layers: {string.Join(", ", names)}.", nameof(plans));
        }

        ArgumentOutOfRangeException.ThrowIfZero(plans.Count);

        _seed = seed;
        _plans = [.. plans.Select(plan => layers.Select(layer => plan.GetValueOrDefault(layer.Layer, int.MaxValue)).ToArray())];
    }

    /// <summary>Every plan, in the order given, at the most at a model's current ranks.</summary>
    public IEnumerable<int[]> Plans(IReadOnlyList<int> current) => _plans.Select(plan => plan.Zip(current, Math.Min).ToArray());

    /// <inheritdoc/>
    public int[] Draw(IReadOnlyList<int> current, SamplingPlace at)
    {
        var (cycle, place) = Math.DivRem(at.Step, _plans.Length);
        var order = Enumerable.Range(0, _plans.Length).ToArray();
        RandomStreams.At(_seed, RandomUse.Ranks, cycle).Shuffle(order);
        return [.. _plans[order[place]].Zip(current, Math.Min)];
    }
}
