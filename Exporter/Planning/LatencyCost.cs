using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Exporter.Planning;

/// <summary>What layers take on a device, by its table.</summary>
public sealed class LatencyCost
{
    readonly LayerLatencies _table;
    readonly Dictionary<string, LayerLatency> _layers;

    /// <param name="table">The table.</param>
    public LatencyCost(LayerLatencies table) => (_table, _layers) = (table, table.Layers.ToDictionary(layer => layer.Layer));

    /// <summary>Makes sure that the table is of the network that is planned.</summary>
    /// <exception cref="ExportException">It is of another.</exception>
    public void Check(LodCost cost)
    {
        foreach (var pair in cost.Layers.Select(layer => layer.Pair))
        {
            if (!_layers.TryGetValue(pair.Layer, out var timed) || (timed.Out, timed.In) != (pair.Out, pair.In))
            {
                throw new ExportException($"The layer latencies are of another network: layer '{pair.Layer}' of [{pair.Out}, {pair.In}] is "
                    + $"{(timed is null ? "not among them" : $"[{timed.Out}, {timed.In}] there")}; measure this one with 'maestro profile MODEL.lod.onnx'.");
            }
        }
    }

    /// <summary>What a layer takes in a form, in microseconds; between measured ranks by a straight line.</summary>
    /// <param name="layer">The layer's name.</param>
    /// <param name="form">The form.</param>
    /// <param name="rank">The rank; not looked at where the form is dense.</param>
    public double Of(string layer, LayerForm form, int rank) => _layers[layer] is var timed && form == LayerForm.Dense
        ? timed.DenseUs
        : Between(timed.Ranks, form == LayerForm.IdentityBlock ? timed.IdentityUs ?? timed.PairUs : timed.PairUs, rank);

    /// <summary>What a whole model takes, in microseconds.</summary>
    public double Predict(FormedPlan plan) => _table.FixedUs + plan.Ranks.Layers.Sum(layer => Of(layer.Key, plan.FormOf(layer.Key), layer.Value.Components ?? 0));

    static double Between(IReadOnlyList<int> ranks, IReadOnlyList<double> times, int rank)
    {
        var above = Enumerable.Range(0, ranks.Count).FirstOrDefault(i => ranks[i] >= rank, ranks.Count - 1);
        if (above == 0 || ranks[above] <= rank)
        {
            return times[above];
        }

        var share = (double)(rank - ranks[above - 1]) / (ranks[above] - ranks[above - 1]);
        return times[above - 1] + share * (times[above] - times[above - 1]);
    }
}
