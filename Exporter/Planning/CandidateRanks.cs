using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Exporter.Planning;

/// <summary>The ranks of a layer that are probed and timed: dense where ranks are few, coarse where they are many.</summary>
public static class CandidateRanks
{
    // A rank that fills no block of channels falls out of them and costs more.
    const int Block = ConvolutionBlocks.Channels;

    static readonly double[] Shares =
        [1 / 256.0, 1 / 128.0, 1 / 64.0, 1 / 48.0, 1 / 32.0, 1 / 24.0, 1 / 16.0, 3 / 32.0, 1 / 8.0, 3 / 16.0, 1 / 4.0, 5 / 16.0, 3 / 8.0, 7 / 16.0, 1 / 2.0, 5 / 8.0, 3 / 4.0, 7 / 8.0, 1];

    /// <summary>Ascending, from 1, at most 20, none above the rank that the model holds.</summary>
    /// <param name="layer">The layer.</param>
    public static IReadOnlyList<int> Of(PairCost layer) =>
        [.. Shares.Prepend(0).Select(share => Math.Clamp(Rounded(share * layer.Rank), 1, layer.Rank)).Distinct().Order()];

    /// <summary>Whether a table is of a model's layers, in their order, each at its candidate ranks.</summary>
    /// <param name="table">The layers' names and ranks.</param>
    /// <param name="cost">The model.</param>
    public static bool AreOf(IEnumerable<(string Layer, IReadOnlyList<int> Ranks)> table, LodCost cost) =>
        table.Select(layer => layer.Layer).SequenceEqual(cost.Layers.Select(layer => layer.Pair.Layer))
        && table.Zip(cost.Layers).All(pair => pair.First.Ranks.SequenceEqual(Of(pair.Second)));

    static int Rounded(double rank) => rank switch
    {
        >= 2 * Block => Block * (int)Math.Round(rank / Block),
        >= 12 => Block / 2 * (int)Math.Round(rank / (Block / 2)),
        _ => (int)Math.Ceiling(rank),
    };
}
