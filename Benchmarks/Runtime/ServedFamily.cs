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

    /// <summary>Six MB of dense 3x3 convolutions on 32x32 images, three variants.</summary>
    public static Family Convolutions() => Made("convolutions", () => ConvolutionNet([3, 32, 32], [64, 128, 256, 512]), [1, 0.5, 0.25]);

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

    /// <summary>Where prepacked weights of a family are kept.</summary>
    public static string PackedFolder(Family family) => family.Folder + ".packed";

    static Family Made(string name, int[] sample, int[] hidden, double[] budgets) => Made(name, () => Mlp(sample, hidden), budgets);

    static Family Made(string name, Func<OnnxModel> model, double[] budgets)
    {
        var folder = Path.Combine("artifacts", "benchmarks", name);
        if (!File.Exists(Path.Combine(folder, FamilyManifest.FileName)))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(folder)!);
            var source = folder + ".lod.onnx";
            SvdFactoring.Factor(model(), new LodProvenance { Model = name, Recipe = LodProvenance.Svd }).Save(source);
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

    static OnnxModel ConvolutionNet(int[] sample, int[] channels)
    {
        var g = new GraphBuilder("convolutions", seed: 1);
        var x = g.Input("image", sample);
        foreach (var (i, width) in channels.Index())
        {
            x = g.MaxPool(g.Relu(g.Conv(x, $"conv{i + 1}", width, kernel: 3, pad: 1)), 2);
        }

        return g.Build(g.Linear(g.Flatten(x), "logits", 10));
    }
}
