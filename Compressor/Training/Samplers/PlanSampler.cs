using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Compressor.Training.Samplers;

/// <summary>One of some given plans a step: what is to be exported is what is trained.</summary>
/// <remarks>
/// <para>Source: FlexRank (arXiv:2602.02680), whose consolidation trains a chain of plans, each as often as the others.</para>
/// <para>
/// Here a plan of a quarter of the cost comes twice as often: small plans are the furthest from what the model was, and large ones learn
/// from their steps too, since they hold the same components.
/// </para>
/// </remarks>
public sealed class PlanSampler : IRankSampler
{
    readonly int _seed;
    readonly int[][] _plans;
    readonly double[] _weights;

    /// <param name="seed">The run's seed.</param>
    /// <param name="cost">What the model costs at any ranks.</param>
    /// <param name="plans">At least one plan.</param>
    /// <exception cref="ArgumentException">There is no plan, or one names a layer that the model has not factored.</exception>
    public PlanSampler(int seed, LodCost cost, IReadOnlyList<TrainedPlan> plans)
    {
        string[] names = [.. cost.Layers.Select(layer => layer.Pair.Layer)];
        if (plans.SelectMany(plan => plan.Ranks.Keys).Except(names).FirstOrDefault() is { } unknown)
        {
            throw new ArgumentException($"A plan names layer '{unknown}', which is not among the model's factored layers: {string.Join(", ", names)}.", nameof(plans));
        }

        ArgumentOutOfRangeException.ThrowIfZero(plans.Count);

        _seed = seed;
        _plans = [.. plans.Select(plan => cost.Layers.Select(layer => Math.Min(layer.Rank, plan.Ranks.GetValueOrDefault(layer.Pair.Layer, int.MaxValue))).ToArray())];
        _weights = [.. _plans.Select(ranks => 1 / Math.Sqrt(Math.Max(1, cost.At(ranks).Macs)))];
    }

    /// <summary>Every plan, in the order given, at the most at a model's current ranks.</summary>
    public IEnumerable<int[]> Plans(IReadOnlyList<int> current) => _plans.Select(plan => plan.Zip(current, Math.Min).ToArray());

    /// <inheritdoc/>
    public int[] Draw(IReadOnlyList<int> current, SamplingPlace at)
    {
        var left = RandomStreams.At(_seed, RandomUse.Ranks, at.Step).NextDouble() * _weights.Sum();
        var drawn = 0;
        while (drawn < _weights.Length - 1 && left >= _weights[drawn])
        {
            left -= _weights[drawn++];
        }

        return [.. _plans[drawn].Zip(current, Math.Min)];
    }
}
