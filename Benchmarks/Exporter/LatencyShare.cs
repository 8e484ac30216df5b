using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Exporter.Planning;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Benchmarks.Exporter;

/// <summary>How the time of factored layers follows their multiply-accumulates: pairs against the dense kernels of the same layers, within whole models.</summary>
/// <remarks>Weights are random, since only time is looked at; models and the tables of their layers are kept under <c>artifacts/benchmarks</c>.</remarks>
static class LatencyShare
{
    // A layer's share of the time may be so many times its share of the multiply-accumulates.
    const double Most = 1.15;

    static readonly double[] Shares = [0.75, 0.5, 0.25, 0.125];

    static readonly (string Name, string Model, int[] Sample, ModelSize Size)[] Networks =
    [
        ("lenet", "lenet", [1, 28, 28], ModelSize.Default),
        ("mlp-1024", "mlp", [1, 32, 32], new ModelSize([1024, 1024, 1024])),
        ("vgg11", "vgg11", [3, 32, 32], ModelSize.Default),
        ("vgg11-16", "vgg11", [3, 32, 32], ModelSize.Default with { Width = 16 }),
        ("resnet18", "resnet18", [3, 32, 32], ModelSize.Default),
    ];

    static readonly SessionSettings Settings = new() { Threads = 1 };

    /// <param name="args">Names of networks; none for all.</param>
    public static void Run(string[] args)
    {
        foreach (var (name, model, sample, size) in Networks.Where(network => args.Length == 0 || args.Contains(network.Name)))
        {
            var source = Path.Combine("artifacts", "benchmarks", $"{name}.lod.onnx");
            if (!File.Exists(source))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(source)!);
                SvdFactoring.Factor(BuiltInModels.Create(model, sample, 10, seed: 1, size), new LodProvenance { Model = model, Recipe = LodProvenance.Svd }).Save(source);
            }

            Compare(name, source, Table(source));
        }
    }

    static LayerLatencies Table(string source)
    {
        var file = Path.ChangeExtension(source, ".layers.json");
        if (!File.Exists(file))
        {
            ProfilesJson.Write(file, new LayerLatencyMeter(LodModel.Load(source), Settings, new MeasureOptions()).Measure());
        }

        return ProfilesJson.Read<LayerLatencies>(file);
    }

    static void Compare(string name, string source, LayerLatencies table)
    {
        var lod = LodModel.Load(source);
        var cost = lod.Cost();
        var macs = CostUnit.Macs(cost);
        Show(name, lod, [.. Uniform("uniform, any rank", cost, new CostUnit(macs.Of, macs.Fixed, macs.Layers)), .. Uniform("uniform, by MACs", cost, macs)]);
        Show(name, lod, [.. Frontiers("frontier, by MACs", lod, macs), .. Frontiers("frontier, by latency", lod, CostUnit.Latency(cost, table))]);
    }

    static IEnumerable<(string, FormedPlan)> Uniform(string name, LodCost cost, CostUnit unit) =>
        Shares.Select(share => (Label(name, share), new UniformPlanner(cost, unit).Plan(share)));

    static IEnumerable<(string, FormedPlan)> Frontiers(string name, LodModel lod, CostUnit unit)
    {
        var found = Frontier.Solve([.. unit.Layers.Select(layer => new PlanningLayer(layer.Pair.Layer, Options(lod, layer, unit)))]);
        foreach (var share in Shares)
        {
            if (found.FirstOrDefault(plan => plan.Cost + unit.Fixed <= share * unit.Dense) is { } plan)
            {
                yield return (Label(name, share), FormedPlan.Of(lod.Pairs, i => (plan.Options[i].Form, plan.Options[i].Rank.Components ?? 0)));
            }
        }
    }

    static string Label(string name, double share) => FormattableString.Invariant($"{name}, {100 * share:0.#} %");

    // Random weights answer nothing, so that there is nothing to probe: the energy that a rank leaves out stands for its error.
    static IEnumerable<LayerOption> Options(LodModel lod, PairCost layer, CostUnit unit)
    {
        var (u, v) = (lod.Model.Floats(lod.Model.Initializer(layer.Pair.U)!), lod.Model.Floats(lod.Model.Initializer(layer.Pair.V)!));
        double[] energies = [.. u.Chunk(layer.Pair.Out).Zip(v.Chunk(layer.Pair.In), (row, column) => row.Sum(x => (double)x * x) * column.Sum(x => (double)x * x))];
        yield return new LayerOption(LayerRank.Dense, LayerForm.Dense, unit.Of(layer, LayerForm.Dense, layer.Rank), 0);
        foreach (var rank in CandidateRanks.Of(layer))
        {
            yield return new LayerOption(new LayerRank(rank), LayerForm.Pair, unit.Of(layer, LayerForm.Pair, rank), energies.Skip(rank).Sum() / energies.Sum());
        }
    }

    static void Show(string name, LodModel lod, IReadOnlyList<(string Name, FormedPlan Plan)> plans)
    {
        var times = new FactoredTimes(lod, [FormedPlan.Dense(lod.Pairs), .. plans.Select(plan => plan.Plan)], Settings);
        Console.WriteLine($"{name}: {Settings.Threads} thread, batch 1, dense {times.WholeUs[0]:0} µs, in turns with the plans; shares are of dense, x is time over MACs");
        Console.WriteLine($"  {"plan",-28} {"whole: MACs",11} {"time",6} {"x",5}   {"factored: MACs",14} {"time",6} {"x",5} {"reorders",8}   layers above {Most}");
        foreach (var (i, (plan, _)) in plans.Index())
        {
            Console.WriteLine($"  {plan,-28} {Row(times, i + 1)}");
        }
    }

    static string Row(FactoredTimes times, int plan)
    {
        var (macs, whole) = (times.MacShare(plan), times.WholeUs[plan] / times.WholeUs[0]);
        var layers = times.Layers(plan);
        if (layers.Count == 0)
        {
            return "dense";
        }

        var dense = layers.Sum(layer => layer.DenseUs);
        var (macShare, timeShare) = ((double)layers.Sum(layer => layer.Macs) / layers.Sum(layer => layer.DenseMacs), layers.Sum(layer => layer.Us) / dense);
        var above = layers.Where(layer => layer.Ratio > Most).OrderByDescending(layer => layer.Us - layer.DenseUs * layer.Macs / layer.DenseMacs).Take(4)
            .Select(layer => $"{layer.Name} [{layer.Out}, {layer.In}] at {layer.Rank}: {layer.Ratio:0.00}");
        return $"{macs,11:P1} {whole,6:P0} {whole / macs,5:0.00}   {macShare,14:P1} {timeShare,6:P0} {timeShare / macShare,5:0.00} {layers.Sum(layer => layer.ReorderUs) / dense,8:P1}   {string.Join("; ", above)}";
    }
}
