using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Exporter.Planning;

/// <summary>A rank for every layer, and how those below full rank are written.</summary>
/// <param name="Ranks">The ranks.</param>
/// <param name="Blocks">The layers that are written as identity blocks; the other layers that are not dense are pairs.</param>
public sealed record FormedPlan(RankPlan Ranks, IReadOnlySet<string> Blocks)
{
    static readonly HashSet<string> None = [];

    /// <summary>A plan of pairs alone.</summary>
    public static FormedPlan Pairs(RankPlan ranks) => new(ranks, None);

    /// <summary>The plan of a form and a rank for each layer.</summary>
    /// <param name="pairs">The layers.</param>
    /// <param name="choose">The form and the rank of a layer, by its place; the rank of a dense layer is not looked at.</param>
    public static FormedPlan Of(IReadOnlyList<FactorPair> pairs, Func<int, (LayerForm Form, int Rank)> choose)
    {
        var chosen = pairs.Select((pair, i) => (pair.Layer, Choice: choose(i))).ToList();
        return new FormedPlan(
            new RankPlan(chosen.Select(one => KeyValuePair.Create(one.Layer, one.Choice.Form == LayerForm.Dense ? LayerRank.Dense : new LayerRank(one.Choice.Rank)))),
            chosen.Where(one => one.Choice.Form == LayerForm.IdentityBlock).Select(one => one.Layer).ToHashSet());
    }

    /// <summary>The plan of a form and a rank for each layer of a model that is counted.</summary>
    /// <inheritdoc cref="Of(IReadOnlyList{FactorPair}, Func{int, ValueTuple{LayerForm, int}})"/>
    public static FormedPlan Of(LodCost cost, Func<int, (LayerForm Form, int Rank)> choose) => Of([.. cost.Layers.Select(layer => layer.Pair)], choose);

    /// <summary>The plan that leaves every layer dense.</summary>
    public static FormedPlan Dense(IReadOnlyList<FactorPair> pairs) => Of(pairs, _ => (LayerForm.Dense, 0));

    /// <summary>The components that a layer keeps; all of them where it is dense.</summary>
    public int RankOf(PairCost layer) => Ranks[layer.Pair.Layer].Components ?? layer.Rank;

    /// <summary>How a layer is written.</summary>
    public LayerForm FormOf(string layer) => Ranks[layer].IsDense ? LayerForm.Dense : Blocks.Contains(layer) ? LayerForm.IdentityBlock : LayerForm.Pair;
}
