using MaestroDeploy.Exporter;
using MaestroDeploy.Exporter.Planning;
using MaestroDeploy.Exporter.Slicing;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Benchmarks.Exporter;

/// <summary>A layer that a plan cuts, beside its dense kernel.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Out">Rows of its weight.</param>
/// <param name="In">Columns of its weight.</param>
/// <param name="Rank">Its rank.</param>
/// <param name="Macs">What its pair multiplies.</param>
/// <param name="DenseMacs">What its weight multiplies.</param>
/// <param name="Us">What its products take, and the changes of layout that the pair brings.</param>
/// <param name="ReorderUs">The changes of layout in it.</param>
/// <param name="DenseUs">What its dense kernel takes.</param>
sealed record FactoredTime(string Name, int Out, int In, int Rank, long Macs, long DenseMacs, double Us, double ReorderUs, double DenseUs)
{
    /// <summary>Its share of the time over its share of the multiply-accumulates.</summary>
    public double Ratio => Us / DenseUs / ((double)Macs / DenseMacs);
}

/// <summary>Plans of one network timed in turns, the first of them dense, and what each layer's products took by ONNX Runtime's profile.</summary>
/// <remarks>A profiled node holds the timer's own time: what nodes take above the whole, in the plan where that is least, so that pairs, of two nodes, are not flattered.</remarks>
sealed class FactoredTimes
{
    readonly LodCost _cost;
    readonly IReadOnlyList<FormedPlan> _plans;
    readonly KernelSplit[] _products, _reorders;
    readonly double _timerUs;

    /// <param name="lod">The network.</param>
    /// <param name="plans">The plans, dense first.</param>
    /// <param name="settings">How graphs are run.</param>
    public FactoredTimes(LodModel lod, IReadOnlyList<FormedPlan> plans, SessionSettings settings)
    {
        (_cost, _plans) = (lod.Cost(), plans);
        var cutter = new PlanCutter(lod);
        OnnxModel[] models = [.. plans.Select(cutter.Cut)];
        var times = Measured(models, settings);
        WholeUs = [.. times.Select(time => time.WholeUs)];
        _timerUs = Math.Max(0, times.Min(time => (time.Kernels.Sum(kernel => kernel.Us) - time.WholeUs) / time.Kernels.Count));
        _products = [.. times.Select((time, i) => new KernelSplit(models[i], lod.Pairs, time.Kernels, IsProduct))];
        _reorders = [.. times.Select((time, i) => new KernelSplit(models[i], lod.Pairs, time.Kernels, IsReorder))];
    }

    /// <summary>Median of a run of each plan, in microseconds.</summary>
    public IReadOnlyList<double> WholeUs { get; }

    /// <summary>A plan's multiply-accumulates over those of the dense model.</summary>
    public double MacShare(int plan) => (double)(_cost.FixedMacs + _cost.Layers.Sum(layer => Macs(layer, plan))) / _cost.Dense.Macs;

    /// <summary>The layers that a plan cuts.</summary>
    public IReadOnlyList<FactoredTime> Layers(int plan) => [.. _cost.Layers.Index().Where(layer => RankOf(layer.Item, plan) is not null).Select(layer =>
    {
        // A dense model changes layouts too; a pair answers for what it adds.
        var reorders = Math.Max(0, Us(_reorders[plan].Layers[layer.Index]) - Us(_reorders[0].Layers[layer.Index]));
        return new FactoredTime(layer.Item.Pair.Layer, layer.Item.Pair.Out, layer.Item.Pair.In, RankOf(layer.Item, plan)!.Value, Macs(layer.Item, plan), layer.Item.DenseMacs,
            Us(_products[plan].Layers[layer.Index]) + reorders, reorders, Us(_products[0].Layers[layer.Index]));
    })];

    double Us(NodeTime time) => time.Us - _timerUs * time.Nodes;

    int? RankOf(PairCost layer, int plan) => _plans[plan].Ranks[layer.Pair.Layer].Components;

    long Macs(PairCost layer, int plan) => RankOf(layer, plan) is { } rank ? layer.Positions * rank * (layer.Pair.In + layer.Pair.Out) : layer.DenseMacs;

    static bool IsProduct(KernelTime kernel) => kernel.Operator.Contains("Conv", StringComparison.Ordinal) || kernel.Operator.Contains("Gemm", StringComparison.Ordinal)
        || kernel.Operator.Contains("MatMul", StringComparison.Ordinal);

    static bool IsReorder(KernelTime kernel) => kernel.Operator.StartsWith("Reorder", StringComparison.Ordinal);

    static IReadOnlyList<GraphTimes> Measured(OnnxModel[] models, SessionSettings settings)
    {
        using var scratch = new ScratchFolder();
        return new KernelMeter().Measure([.. models.Select((model, i) => Saved(model, Path.Combine(scratch.Path, $"plan-{i}.onnx")))], settings, new MeasureOptions(), scratch.Path).Times;
    }

    static TimedGraph Saved(OnnxModel model, string path)
    {
        model.Save(path);
        return new TimedGraph(path, ByNode: true);
    }
}
