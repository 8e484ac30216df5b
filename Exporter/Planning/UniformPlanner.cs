using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Exporter.Planning;

/// <summary>Plans by one rank share for all layers, dense where a pair would cost as much: <see cref="UniformRanks"/>.</summary>
/// <param name="cost">The model's cost under any plan.</param>
/// <param name="unit">What budgets are shares of; null for every layer's rank, rounded up, whatever it costs.</param>
public sealed class UniformPlanner(LodCost cost, CostUnit? unit)
{
    // Costs are compared as whole numbers: a nanosecond, or a thousandth of a multiply-accumulate.
    const double Fine = 1000;

    /// <summary>The ranks of the largest share that a budget allows; rank 1 everywhere if none does.</summary>
    /// <param name="share">Share of the dense model's cost.</param>
    /// <returns>A rank for each layer; above break-even it is the layer's full rank, to be written dense.</returns>
    public int[] Ranks(double share) => unit is null
        ? [.. cost.Layers.Select(layer => (int)Math.Ceiling(share * layer.Rank))]
        : UniformRanks.Within(cost.Layers, (layer, rank) => (long)(Fine * unit.Cheapest(layer, rank).Cost), Fine * (share * unit.Dense - unit.Fixed));

    /// <summary>The plan of the largest share that a budget allows.</summary>
    /// <param name="share">Share of the dense model's cost.</param>
    public FormedPlan Plan(double share)
    {
        var ranks = Ranks(share);
        return FormedPlan.Of([.. cost.Layers.Select(layer => layer.Pair)], i =>
            (unit?.Cheapest(cost.Layers[i], ranks[i]).Form ?? (ranks[i] > cost.Layers[i].Pair.BreakEven ? LayerForm.Dense : LayerForm.Pair), ranks[i]));
    }
}
