using MaestroDeploy.Onnx.Cost;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Exporter.Planning;

/// <summary>What a budget is a share of.</summary>
public enum BudgetUnit
{
    /// <summary>Multiply-accumulates for one sample.</summary>
    Macs,

    /// <summary>Parameters.</summary>
    Params,

    /// <summary>Every layer's rank, rounded up: each keeps that share of its components, whatever it costs.</summary>
    Ranks,
}

/// <summary>A budget and what it came to.</summary>
/// <param name="Budget">What was asked for.</param>
/// <param name="Plan">A rank, or dense, for each factored layer.</param>
/// <param name="Cost">What the plan costs; above a budget of cost only where even rank 1 everywhere is.</param>
public sealed record PlannedVariant(Budget Budget, RankPlan Plan, ModelCost Cost);

/// <summary>Plans by one rank share for all layers, dense where a pair would cost as much: <see cref="UniformRanks"/>.</summary>
/// <param name="cost">The model's cost under any plan.</param>
/// <param name="unit">What budgets are shares of.</param>
public sealed class UniformPlanner(LodCost cost, BudgetUnit unit = BudgetUnit.Macs)
{
    /// <summary>The plans for some budgets, the largest first, each plan once.</summary>
    /// <param name="budgets">Shares of the dense model's cost.</param>
    public IReadOnlyList<PlannedVariant> Plan(IEnumerable<Budget> budgets) =>
        [.. budgets.OrderByDescending(budget => budget.Share).Select(Plan).DistinctBy(planned => planned.Plan)];

    /// <summary>The plan of the largest share that a budget allows; rank 1 everywhere if none does.</summary>
    public PlannedVariant Plan(Budget budget)
    {
        int[] ranks = unit switch
        {
            BudgetUnit.Ranks => [.. cost.Layers.Select(layer => (int)Math.Ceiling(budget.Share * layer.Rank))],
            BudgetUnit.Params => UniformRanks.Within(cost.Layers, (layer, rank) => layer.ParamsAt(rank), budget.Share * cost.Dense.Params - cost.FixedParams),
            _ => UniformRanks.Within(cost.Layers, (layer, rank) => layer.MacsAt(rank), budget.Share * cost.Dense.Macs - cost.FixedMacs),
        };
        var plan = new RankPlan(cost.Layers.Zip(ranks, (layer, rank) =>
            KeyValuePair.Create(layer.Pair.Layer, rank > layer.Pair.BreakEven ? LayerRank.Dense : new LayerRank(rank))));
        return new PlannedVariant(budget, plan, cost.At(ranks));
    }

    /// <summary>The plan that leaves every layer dense.</summary>
    public PlannedVariant Dense() =>
        new(new Budget(1), new RankPlan(cost.Layers.Select(layer => KeyValuePair.Create(layer.Pair.Layer, LayerRank.Dense))), cost.Dense);
}
