using MaestroDeploy.Onnx.Cost;

namespace MaestroDeploy.Onnx.LowRank;

/// <summary>What one factored layer costs at a rank, and dense.</summary>
/// <param name="Pair">The layer.</param>
/// <param name="Rank">The largest rank kept.</param>
/// <param name="Positions">Times that the weight is applied for one sample, by all nodes that share it: 1 for a linear layer, H·W for a convolution.</param>
public sealed record PairCost(FactorPair Pair, int Rank, long Positions)
{
    /// <summary>Numbers in the dense weight.</summary>
    public long DenseParams => (long)Pair.In * Pair.Out;

    /// <summary>Multiply-accumulates for one sample, dense.</summary>
    public long DenseMacs => Sizes.Times(Positions, DenseParams);

    /// <inheritdoc cref="FactorPair.ParamsAt"/>
    public long ParamsAt(int rank) => Pair.ParamsAt(rank);

    /// <summary>Multiply-accumulates for one sample at a rank, dense above break-even.</summary>
    public long MacsAt(int rank) => Sizes.Times(Positions, ParamsAt(rank));
}

/// <summary>What a model costs under any plan: the part that no plan changes, and each layer's own.</summary>
/// <param name="FixedParams">Parameters outside the pairs: biases, norms, unfactored weights.</param>
/// <param name="FixedMacs">Multiply-accumulates outside the pairs.</param>
/// <param name="Layers">The factored layers, in the order of the graph.</param>
/// <param name="IsCounted">Whether the shapes at every layer are known; where one is not, its weight counts as applied once.</param>
public sealed record LodCost(long FixedParams, long FixedMacs, IReadOnlyList<PairCost> Layers, bool IsCounted)
{
    /// <summary>The whole model with every layer dense.</summary>
    public ModelCost Dense => Holding([.. Layers.Select(layer => layer.DenseParams)]);

    /// <summary>The whole model at some ranks, each layer dense above its break-even.</summary>
    /// <param name="ranks">A rank for each of <see cref="Layers"/>.</param>
    public ModelCost At(IReadOnlyList<int> ranks) => Holding([.. Layers.Zip(ranks, (layer, rank) => layer.ParamsAt(rank))]);

    /// <summary>The whole model where the layers hold some numbers, whatever their form; counts that pass the largest long stay there.</summary>
    /// <param name="numbers">How many each of <see cref="Layers"/> holds.</param>
    public ModelCost Holding(IReadOnlyList<long> numbers) => new(
        Sizes.Sum([FixedParams, .. numbers]), Sizes.Sum([FixedMacs, .. Layers.Zip(numbers, (layer, held) => Sizes.Times(layer.Positions, held))]));

    internal static LodCost Of(LodModel lod, int? openAxis)
    {
        var shapes = Shapes.Of(lod.Model, openAxis);
        var whole = ModelCost.Of(lod.Model, openAxis);
        PairCost[] layers = [.. lod.Pairs.Select(pair => new PairCost(pair, pair.Rank(lod.Model), Positions(lod.Model, pair, shapes)))];
        var inPairs = layers.Select(layer => (long)layer.Rank * (layer.Pair.In + layer.Pair.Out)).ToArray();
        var macsInPairs = Sizes.Sum(layers.Zip(inPairs, (layer, numbers) => Sizes.Times(layer.Positions, numbers)));
        var isCounted = lod.Pairs.SelectMany(pair => PairRewrite.Uses(lod.Model, pair)).All(use => shapes[use.Expansion.Output[0]] is not null);
        return new LodCost(whole.Params - inPairs.Sum(), Math.Max(0, whole.Macs - macsInPairs), layers, isCounted);
    }

    // A use whose shape is not known counts as one position, as MacCounter counts its nodes.
    static long Positions(OnnxModel model, FactorPair pair, Shapes shapes) => Sizes.Sum(PairRewrite.Uses(model, pair)
        .Select(use => shapes[use.Expansion.Output[0]] is { } shape ? Sizes.Product(shape) / pair.Out / shapes.Samples : 1));
}
