using MaestroDeploy.Exporter.Slicing;
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

    /// <summary>Bytes of the weights that a variant reads.</summary>
    Bytes,

    /// <summary>Time on a device, by its table of layers.</summary>
    Latency,

    /// <summary>Every layer's rank, rounded up: each keeps that share of its components, whatever it costs.</summary>
    Ranks,
}

/// <summary>What layers cost in one unit.</summary>
/// <param name="of">The cost of a layer in a form at a rank.</param>
/// <param name="fixedCost">What no plan changes.</param>
/// <param name="layers">The layers.</param>
public sealed class CostUnit(Func<PairCost, LayerForm, int, double> of, double fixedCost, IReadOnlyList<PairCost> layers)
{
    /// <summary>What no plan changes.</summary>
    public double Fixed { get; } = fixedCost;

    /// <summary>The layers.</summary>
    public IReadOnlyList<PairCost> Layers { get; } = layers;

    /// <summary>Whether the unit is looked at in the place of time, so that convolutions' ranks should fill <see cref="ConvolutionBlocks"/>.</summary>
    public bool StandsForTime { get; init; }

    /// <summary>The whole model dense.</summary>
    public double Dense { get; } = fixedCost + layers.Sum(layer => of(layer, LayerForm.Dense, layer.Rank));

    /// <summary>The cost of a layer in a form at a rank.</summary>
    public double Of(PairCost layer, LayerForm form, int rank) => of(layer, form, rank);

    /// <summary>Multiply-accumulates for one sample.</summary>
    public static CostUnit Macs(LodCost cost) => new((layer, form, rank) => layer.Positions * Numbers(layer, form, rank), cost.FixedMacs, cost.Layers) { StandsForTime = true };

    /// <summary>Parameters.</summary>
    public static CostUnit Params(LodCost cost) => new(Numbers, cost.FixedParams, cost.Layers);

    /// <summary>Bytes of weights.</summary>
    /// <param name="cost">The model's cost.</param>
    /// <param name="size">Bytes of a number: 4, or 2 in float16.</param>
    public static CostUnit Bytes(LodCost cost, int size) => new((layer, form, rank) => size * Numbers(layer, form, rank), size * (double)cost.FixedParams, cost.Layers);

    /// <summary>Microseconds on a device.</summary>
    /// <exception cref="ExportException">The table is of another network.</exception>
    public static CostUnit Latency(LodCost cost, LayerLatencies table)
    {
        var latency = new LatencyCost(table);
        latency.Check(cost);
        return new CostUnit((layer, form, rank) => latency.Of(layer.Pair.Layer, form, rank), table.FixedUs, cost.Layers);
    }

    /// <summary>The cost of a whole model under a plan.</summary>
    public double Of(FormedPlan plan) => Fixed + Layers.Sum(layer => Of(layer, plan.FormOf(layer.Pair.Layer), plan.RankOf(layer)));

    /// <summary>The cheaper of dense and a pair, dense where they cost the same.</summary>
    public (LayerForm Form, double Cost) Cheapest(PairCost layer, int rank)
    {
        var (dense, pair) = (Of(layer, LayerForm.Dense, rank), Of(layer, LayerForm.Pair, rank));
        return pair < dense ? (LayerForm.Pair, pair) : (LayerForm.Dense, dense);
    }

    /// <summary>Numbers that a layer holds in a form.</summary>
    public static double Numbers(PairCost layer, LayerForm form, int rank) => form switch
    {
        LayerForm.Dense => layer.DenseParams,
        LayerForm.IdentityBlock => IdentityBlock.Params(layer.Pair, rank),
        _ => (double)rank * (layer.Pair.In + layer.Pair.Out),
    };
}
