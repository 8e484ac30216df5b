namespace MaestroDeploy.Onnx.LowRank;

/// <summary>The ranks that a budget buys when all layers keep the same share of theirs: what a family is trained at and cut to.</summary>
/// <remarks>
/// <para>A pair that would multiply as much as its dense weight keeps its full rank, and is to be emitted dense.</para>
/// <para>
/// A layer keeps 8 components (or 4, or 2) as long as they cost at most a quarter of the budget, whatever the share: narrow layers
/// cost next to nothing, and at a share of a thirty-second ten classes would have to pass through a single component.
/// </para>
/// </remarks>
public static class UniformRanks
{
    static readonly int[] Floors = [8, 4, 2];

    // Floors that together exceed the budget are tried again at half the price, and at last given up.
    static readonly double[] FloorPrices = [1 / 4.0, 1 / 8.0, 1 / 16.0, 0];

    /// <summary>The largest ranks, by one share, that cost at most a budget; rank 1 everywhere if none do.</summary>
    /// <param name="layers">The factored layers.</param>
    /// <param name="costOf">What a layer costs at a rank, such as <see cref="PairCost.MacsAt"/>.</param>
    /// <param name="budget">What all layers together may cost.</param>
    /// <returns>A rank for each layer; above break-even it is the layer's full rank.</returns>
    public static int[] Within(IReadOnlyList<PairCost> layers, Func<PairCost, int, long> costOf, double budget)
    {
        var floors = FloorPrices.Select(price => FloorsFor(price * budget)).FirstOrDefault(floors => Fits(0, floors), [.. layers.Select(_ => 1)]);
        if (Fits(1, floors))
        {
            return At(layers, 1, floors);
        }

        // A share moves a layer's rank by steps of 1/rank; past the finest of them nothing changes any more.
        double fits = 0, exceeds = 1, finest = 0.25 / layers.Max(layer => layer.Rank);
        while (exceeds - fits > finest)
        {
            var middle = (fits + exceeds) / 2;
            (fits, exceeds) = Fits(middle, floors) ? (middle, exceeds) : (fits, middle);
        }

        return At(layers, fits, floors);

        int[] FloorsFor(double price) => [.. layers.Select(layer => Floors.FirstOrDefault(floor => costOf(layer, Math.Min(floor, layer.Rank)) <= price, 1))];

        bool Fits(double share, int[] floors) => layers.Zip(At(layers, share, floors), costOf).Sum() <= budget;
    }

    static int[] At(IReadOnlyList<PairCost> layers, double share, int[] floors) => [.. layers.Zip(floors, (layer, floor) =>
    {
        var rank = Math.Min(layer.Rank, Math.Max(floor, (int)Math.Round(share * layer.Rank)));
        return rank > layer.Pair.BreakEven ? layer.Rank : rank;
    })];
}
