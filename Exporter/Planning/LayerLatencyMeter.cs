using MaestroDeploy.Exporter.Slicing;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Exporter.Planning;

/// <summary>Measures what each layer of a network takes here, dense and at its candidate ranks, within whole models.</summary>
/// <remarks>
/// A layer alone would be fused and laid out otherwise than in its network. So a few whole models are timed, all layers at their
/// k-th candidate rank, and ONNX Runtime's own profile tells what each node took. How node times make up a model's latency is
/// fitted on the same models, and held against models that took no part in the fit.
/// </remarks>
/// <param name="lod">The network.</param>
/// <param name="settings">How graphs are run.</param>
/// <param name="options">At what batch.</param>
/// <param name="clock">The clock; null for the system's.</param>
public sealed class LayerLatencyMeter(LodModel lod, SessionSettings settings, MeasureOptions options, TimeProvider? clock = null)
{
    const int Checks = 6;
    const int Seed = 1;
    const string Order = "whole models in interleaved shuffled rounds, their nodes by ONNX Runtime's profile";

    readonly TimeProvider _clock = clock ?? TimeProvider.System;
    readonly PlanCutter _cutter = new(lod);
    readonly LodCost _cost = lod.Cost();
    readonly IReadOnlyList<int>[] _candidates = [.. lod.Cost().Layers.Select(CandidateRanks.Of)];

    /// <summary>Measures the table.</summary>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellation">Stops it between two runs.</param>
    /// <exception cref="RuntimeException">A model cannot be run so.</exception>
    public LayerLatencies Measure(IProgress<MeasureProgress>? progress = null, CancellationToken cancellation = default)
    {
        using var scratch = new ScratchFolder();
        var started = _clock.GetUtcNow();
        var (plans, checks) = (Uniform(), Mixed());
        var models = plans.Concat(checks).Select(_cutter.Cut).ToArray();
        var graphs = models.Select((model, i) =>
        {
            var path = Path.Combine(scratch.Path, $"timed-{i}.onnx");
            model.Save(path);
            model.Graph.Initializer.Clear(); // names of nodes are all that is asked of it from here on
            return new TimedGraph(path, ByNode: i < plans.Count);
        }).ToArray();
        var (times, rounds) = new KernelMeter(_clock).Measure(graphs, settings, options, scratch.Path, progress, cancellation);
        KernelSplit[] split = [.. plans.Select((_, i) => new KernelSplit(models[i], lod.Pairs, times[i].Kernels))];
        var table = Table(plans, split, [.. times.Take(plans.Count).Select(time => time.WholeUs)], options.Described(Measurement.Quick, settings, Order, rounds, started));
        var costs = new LatencyCost(table);
        return table with { Checks = [.. checks.Select((plan, i) => new LatencyCheck(plan.Ranks, costs.Predict(plan), times[plans.Count + i].WholeUs))] };
    }

    /// <summary>Dense first, then every layer at its first, its second… candidate; linear layers once more as identity blocks.</summary>
    List<FormedPlan> Uniform()
    {
        var steps = Enumerable.Range(0, _candidates.Max(ranks => ranks.Count)).ToArray();
        List<FormedPlan> plans = [FormedPlan.Dense(lod.Pairs), .. steps.Select(step => At(step, LayerForm.Pair))];
        return lod.Pairs.Any(HasBlocks) ? [.. plans, .. steps.Select(step => At(step, LayerForm.IdentityBlock))] : plans;
    }

    FormedPlan At(int step, LayerForm form) => FormedPlan.Of(lod.Pairs, layer =>
    {
        var rank = _candidates[layer][Math.Min(step, _candidates[layer].Count - 1)];
        return (form == LayerForm.IdentityBlock && HasBlocks(lod.Pairs[layer]) && _cutter.CanAlign(lod.Pairs[layer], rank) ? form : LayerForm.Pair, rank);
    });

    List<FormedPlan> Mixed()
    {
        var random = new Random(Seed);
        return [.. Enumerable.Range(0, Checks).Select(_ => FormedPlan.Of(lod.Pairs, layer =>
        {
            var rank = _candidates[layer][random.Next(_candidates[layer].Count)];
            return (random.Next(4) == 0 || rank > lod.Pairs[layer].BreakEven ? LayerForm.Dense : LayerForm.Pair, rank);
        }))];
    }

    LayerLatencies Table(IReadOnlyList<FormedPlan> plans, KernelSplit[] split, double[] wholeUs, Measurement how)
    {
        var fit = LatencyFit.Of([.. split.Select(one => one.Whole)], wholeUs);
        return new LayerLatencies
        {
            Device = DeviceProbe.Read(),
            Measurement = how,
            DenseUs = wholeUs[0],
            FixedUs = fit.Fixed + fit.Of(split[0].Outside),
            Layers = [.. lod.Pairs.Select((pair, layer) => new LayerLatency(
                pair.Layer, pair.Out, pair.In, fit.Of(split[0].Layers[layer]), _candidates[layer],
                Times(layer, LayerForm.Pair), HasBlocks(pair) ? Times(layer, LayerForm.IdentityBlock) : null))],
        };

        // A layer with few candidates stays at its last one while others go on: the median of what was seen of each rank.
        double[] Times(int layer, LayerForm form) => [.. _candidates[layer].Select(rank =>
        {
            var seen = Seen(layer, form, rank) is { Length: > 0 } times ? times : Seen(layer, LayerForm.Pair, rank); // a block that cannot be conditioned is a pair
            return Percentiles.Median(seen);
        })];

        double[] Seen(int layer, LayerForm form, int rank) => [.. plans.Index()
            .Where(plan => plan.Item.FormOf(lod.Pairs[layer].Layer) == form && plan.Item.Ranks[lod.Pairs[layer].Layer].Components == rank)
            .Select(plan => fit.Of(split[plan.Index].Layers[layer]))];
    }

    bool HasBlocks(FactorPair pair) => IdentityBlock.Fits(lod.Model, pair);
}
