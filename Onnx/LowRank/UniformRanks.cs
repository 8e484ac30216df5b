namespace MaestroDeploy.Onnx.LowRank;

/// <summary>The ranks that a budget buys when all layers keep the same share of theirs: what a family is trained at and cut to.</summary>
/// <remarks>
/// <para>A pair that would multiply as much as its dense weight keeps its full rank, and is to be emitted dense.</para>
/// <para>
/// No layer falls below a floor of 8 components unless the budget asks for it, and then below 4, 2 and 1 in turn: a narrow layer
/// costs next to nothing, but at a share of a thirty-second, ten classes would have to pass through a single component.
/// </para>
/// </remarks>
public static class UniformRanks
{
    static readonly int[] Floors = [8, 4, 2, 1];

    /// <summary>The largest ranks, by one share, that cost at most a budget; rank 1 everywhere if none do.</summary>
    /// <param name="layers">The factored layers.</param>
    /// <param name="costOf">What a layer costs at a rank, such as <see cref="PairCost.MacsAt"/>.</param>
    /// <param name="budget">What all layers together may cost.</param>
    /// <returns>A rank for each layer; above break-even it is the layer's full rank.</returns>
    public static int[] Within(IReadOnlyList<PairCost> layers, Func<PairCost, int, long> costOf, double budget)
    {
        var floor = Floors.FirstOrDefault(floor => Cost(At(layers, 0, floor)) <= budget, 1);
        double fits = 0, exceeds = 1;
        if (Cost(At(layers, 1, floor)) <= budget)
        {
            return At(layers, 1, floor);
        }

        // A share moves a layer's rank by steps of 1/rank; past the finest of them nothing changes any more.
        var finest = 0.25 / layers.Max(layer => layer.Rank);
        while (exceeds - fits > finest)
        {
            var middle = (fits + exceeds) / 2;
            (fits, exceeds) = Cost(At(layers, middle, floor)) <= budget ? (middle, exceeds) : (fits, middle);
        }

        return At(layers, fits, floor);

        long Cost(int[] ranks) => layers.Zip(ranks, costOf).Sum();
    }

    /// <summary>The same share of every layer's rank, not below a floor.</summary>
    /// <param name="layers">The factored layers.</param>
    /// <param name="share">The share, 0 to 1.</param>
    /// <param name="floor">The smallest rank, 1 and more; a layer that has fewer components keeps them all.</param>
    public static int[] At(IReadOnlyList<PairCost> layers, double share, int floor = 1) => [.. layers.Select(layer =>
    {
        var rank = Math.Min(layer.Rank, Math.Max(floor, (int)Math.Round(share * layer.Rank)));
        return rank > layer.Pair.BreakEven ? layer.Rank : rank;
    })];
}
