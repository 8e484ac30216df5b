using MaestroDeploy.Exporter.Report;
using MaestroDeploy.Profiles;
using MaestroDeploy.Tests.Profiles;

namespace MaestroDeploy.Tests.Exporter.Report;

/// <summary>Families and profiles made up for reports.</summary>
static class SweptFamilies
{
    static readonly string[] Layers = ["conv1", "fc1", "fc2"];

    /// <summary>A family of that many variants, each a little smaller, faster and less accurate than the one before; the dense baseline first of all.</summary>
    public static SweepSeries Series(string name = "lenet", int variants = 5, double accuracy = 0.98, double slowestUs = 900, string cpu = "Some CPU", bool measured = true)
    {
        var manifest = Manifest(name, [.. Enumerable.Range(0, variants).Select(i => Variant($"b{100 - (95.0 * i / variants):0.###}", i, variants, accuracy))], accuracy);
        return new SweepSeries($"out/{name}", manifest, measured ? Profile(manifest, slowestUs, cpu) : null);
    }

    public static FamilyManifest Manifest(string name, IReadOnlyList<Variant> variants, double? accuracy = 0.98, string[]? layers = null)
    {
        var dense = Samples.Variant("dense", 2_000_000, accuracy) with { AccuracyData = variants[0].AccuracyData, AccuracySamples = variants[0].AccuracySamples };
        return new FamilyManifest(
            name, 8, 17, [new("image", "float32", ["N", 1, 28, 28])], [new("logits", "float32", ["N", 10])],
            [.. (layers ?? Layers).Select(layer => new FactoredLayer(layer, "linear", 64, 80, 64))],
            new Provenance { Source = "model.lod.onnx", SourceSha256 = Samples.Sha, CreatedBy = "maestro 0.1.0", CreatedUtc = Samples.Then },
            [.. variants.Append(dense).Select(variant => new FileHash(variant.File, 10, Samples.Sha))], dense, variants);
    }

    /// <summary>A profile in which each graph takes its share of the MACs, and something more.</summary>
    public static LatencyProfile Profile(FamilyManifest manifest, double slowestUs, string cpu = "Some CPU")
    {
        var graphs = manifest.Variants.Prepend(manifest.Dense)
            .Select(variant => Samples.Latency(variant.Id, slowestUs * (0.05 + (0.95 * variant.Macs / manifest.Dense.Macs)))).ToArray();
        return Samples.Profile(graphs[1..]) with { Family = manifest.Name, Dense = graphs[0], Device = Samples.Device() with { Cpu = cpu } };
    }

    static Variant Variant(string id, int i, int count, double accuracy)
    {
        var share = 1 - ((double)i / count);
        var rank = Math.Max(1, (int)(64 * share));
        return Samples.Variant(id, (long)(1_900_000 * share * share) + 1000, accuracy - (0.002 * i * i / count)) with
        {
            Budget = share,
            Plan = Samples.Plan(("conv1", i == 0 ? null : rank), ("fc1", rank), ("fc2", Math.Max(1, rank / 2))),
            AccuracySamples = 10_000,
            AccuracyData = "mnist/test",
        };
    }
}
