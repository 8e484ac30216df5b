using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Exporter;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Build;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Benchmarks.Runtime;

/// <summary>Families to run: an MLP with random weights, factored and cut, made once and kept under <c>artifacts/benchmarks</c>.</summary>
static class ServedFamily
{
    /// <summary>An 80 kB family, whose runs take some µs: what a call costs shows.</summary>
    public static Family Small() => Made("small", [1, 8, 8], [128, 128], [1, 0.5, 0.25, 0.125]);

    /// <summary>1.6 MB of dense weights, four variants of some ten µs.</summary>
    public static Family Medium() => Made("medium", [1, 16, 16], [512, 512], [1, 0.5, 0.25, 0.125]);

    /// <summary>25 MB of dense weights in MatMuls, four variants.</summary>
    public static Family Large() => Made("large", [1, 32, 32], [2048, 2048], [1, 0.5, 0.25, 0.125]);

    /// <summary>The same network cut into eight.</summary>
    public static Family LargeOfEight() => Made("large-of-eight", [1, 32, 32], [2048, 2048], [1, 0.7, 0.5, 0.35, 0.25, 0.18, 0.125, 0.0625]);

    /// <summary>A quick profile, measured once and kept beside the family for as long as it holds.</summary>
    public static LatencyProfile Profile(Family family, SessionSettings settings)
    {
        var store = ProfileStore.Beside(family);
        if (store.Find(family, DeviceProbe.Read(), settings, batch: 1).Profile is { } kept)
        {
            return kept;
        }

        var profile = new LatencyMeter().Measure(family, settings, new MeasureOptions());
        store.Save(profile);
        return profile;
    }

    static Family Made(string name, int[] sample, int[] hidden, double[] budgets)
    {
        var folder = Path.Combine("artifacts", "benchmarks", name);
        if (!File.Exists(Path.Combine(folder, FamilyManifest.FileName)))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(folder)!);
            var source = folder + ".lod.onnx";
            SvdFactoring.Factor(Mlp(sample, hidden), new LodProvenance { Model = "mlp", Recipe = "svd" }).Save(source);
            new FamilyExporter(new ExportOptions { Budgets = [.. budgets.Select(share => new Budget(share))] }).Export(source, folder);
        }

        return Family.Open(folder);
    }

    static OnnxModel Mlp(int[] sample, int[] hidden)
    {
        var g = new GraphBuilder("mlp", seed: 1);
        var x = g.Flatten(g.Input("image", sample));
        foreach (var (i, width) in hidden.Index())
        {
            x = g.Relu(g.Linear(x, $"fc{i + 1}", width));
        }

        return g.Build(g.Linear(x, "logits", 10));
    }
}
