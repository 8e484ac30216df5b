using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Exporter.Planning;

/// <summary>Plans by one rank share for all layers, dense where a pair would cost as much: <see cref="UniformRanks"/>.</summary>
/// <remarks>
/// Where the unit stands for time, a convolution's rank goes to the nearest that fills blocks, from three quarters of a block on, and
/// convolutions that no rank makes faster stay dense as long as they cost at most a quarter of the budget together.
/// </remarks>
/// <param name="cost">The model's cost under any plan.</param>
/// <param name="unit">What budgets are shares of; null for every layer's rank, rounded up, whatever it costs.</param>
public sealed class UniformPlanner(LodCost cost, CostUnit? unit)
{
    // Costs are compared as whole numbers: a nanosecond, or a thousandth of a multiply-accumulate.
    const double Fine = 1000;

    const double MostHeld = 1 / 4.0;

    // The ranks to choose of, the full one last, which is dense; of other layers any will do.
    readonly Dictionary<string, int[]> _steps = unit is { StandsForTime: true }
        ? cost.Layers.Where(layer => layer.Pair.Kind == LayerKind.Conv).ToDictionary(layer => layer.Pair.Layer, layer => (int[])[.. ConvolutionBlocks.Ranks(layer), layer.Rank])
        : [];

    /// <summary>The ranks of the largest share that a budget allows; rank 1 everywhere if none does.</summary>
    /// <param name="share">Share of the dense model's cost.</param>
    /// <returns>A rank for each layer; above break-even it is the layer's full rank, to be written dense.</returns>
    public int[] Ranks(double share)
    {
        if (unit is null)
        {
            return [.. cost.Layers.Select(layer => (int)Math.Ceiling(share * layer.Rank))];
        }

        var budget = share * unit.Dense - unit.Fixed;
        var ranks = Within(budget, Held(MostHeld * budget));
        return Filled(Sum(ranks) <= budget ? ranks : Within(budget, []), budget);
    }

    /// <summary>The plan of the largest share that a budget allows.</summary>
    /// <param name="share">Share of the dense model's cost.</param>
    public FormedPlan Plan(double share)
    {
        var ranks = Ranks(share);
        return FormedPlan.Of(cost, i =>
            (unit?.Cheapest(cost.Layers[i], ranks[i]).Form ?? (ranks[i] > cost.Layers[i].Pair.BreakEven ? LayerForm.Dense : LayerForm.Pair), ranks[i]));
    }

    int[] Within(double budget, HashSet<string> held)
    {
        var ranks = UniformRanks.Within(cost.Layers, (layer, rank) => (long)(Fine * CostOf(layer, Placed(layer, rank, held))), Fine * budget);
        return [.. cost.Layers.Zip(ranks, (layer, rank) => Placed(layer, rank, held))];
    }

    double Sum(int[] ranks) => cost.Layers.Zip(ranks, CostOf).Sum();

    double CostOf(PairCost layer, int rank) => unit!.Cheapest(layer, rank).Cost;

    /// <summary>The convolutions that no rank makes faster, where all of them together may stay dense.</summary>
    HashSet<string> Held(double most)
    {
        var never = cost.Layers.Where(layer => _steps.TryGetValue(layer.Pair.Layer, out var steps) && steps.Length == 1).ToList();
        return never.Sum(layer => CostOf(layer, layer.Rank)) <= most ? [.. never.Select(layer => layer.Pair.Layer)] : [];
    }

    int Placed(PairCost layer, int rank, HashSet<string> held) => held.Contains(layer.Pair.Layer) ? layer.Rank
        : _steps.TryGetValue(layer.Pair.Layer, out var steps) && ConvolutionBlocks.Idles(layer, rank) ? steps.MinBy(step => Math.Abs(CostOf(layer, step) - CostOf(layer, rank)))
        : rank;

    // Layers of one width take their next step together; what a budget has left for some of them goes to these, the cheapest first.
    int[] Filled(int[] ranks, double budget)
    {
        var left = budget - Sum(ranks);
        foreach (var (i, next) in cost.Layers.Index().Select(layer => (layer.Index, Next: Next(layer.Item, ranks[layer.Index])))
            .OrderBy(step => CostOf(cost.Layers[step.Index], step.Next) - CostOf(cost.Layers[step.Index], ranks[step.Index])))
        {
            var more = CostOf(cost.Layers[i], next) - CostOf(cost.Layers[i], ranks[i]);
            (ranks[i], left) = more <= left ? (next, left - more) : (ranks[i], left);
        }

        return ranks;
    }

    int Next(PairCost layer, int rank) => _steps.TryGetValue(layer.Pair.Layer, out var steps) && steps.Length > 1 && rank >= steps[0] ? steps.FirstOrDefault(step => step > rank, rank) : rank;
}
