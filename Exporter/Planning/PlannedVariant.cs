using MaestroDeploy.Onnx.Cost;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Exporter.Planning;

/// <summary>A budget and what it came to.</summary>
/// <param name="Budget">What was asked for.</param>
/// <param name="Formed">How each factored layer is written.</param>
/// <param name="Cost">What the plan costs; above a budget only where even rank 1 everywhere is.</param>
/// <param name="AccuracyFloor">The accuracy that it is the cheapest plan found to reach; null where none was looked for.</param>
public sealed record PlannedVariant(Budget Budget, FormedPlan Formed, ModelCost Cost, double? AccuracyFloor = null)
{
    /// <summary>A rank, or dense, for each factored layer.</summary>
    public RankPlan Plan => Formed.Ranks;

    /// <summary>A plan with its cost.</summary>
    public static PlannedVariant Of(LodCost cost, double share, FormedPlan plan)
    {
        var numbers = cost.Layers.Select(layer => (long)CostUnit.Numbers(layer, plan.FormOf(layer.Pair.Layer), plan.RankOf(layer))).ToArray();
        return new PlannedVariant(new Budget(share), plan, cost.Holding(numbers));
    }

    /// <summary>The plan that leaves every layer dense.</summary>
    public static PlannedVariant Dense(LodCost cost) => Of(cost, 1, FormedPlan.Dense([.. cost.Layers.Select(layer => layer.Pair)]));
}
