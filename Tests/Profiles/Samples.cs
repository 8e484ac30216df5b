using MaestroDeploy.Profiles;

namespace MaestroDeploy.Tests.Profiles;

/// <summary>One small valid value of each record, for tests to write, change and compare.</summary>
static class Samples
{
    public static readonly string Sha = new('a', 64);

    public static readonly DateTimeOffset Then = new(2025, 6, 1, 12, 0, 0, TimeSpan.Zero);

    public static RankPlan Plan(params (string Layer, int? Rank)[] layers) =>
        new(layers.Select(layer => KeyValuePair.Create(
            layer.Layer, layer.Rank is { } rank ? new LayerRank(rank) : LayerRank.Dense)));

    public static Variant Variant(string id, long macs, double? accuracy = null) => new()
    {
        Id = id,
        File = $"{id}.onnx",
        Params = macs,
        Macs = macs,
        Bytes = 4 * macs,
        Accuracy = accuracy,
    };

    public static FamilyManifest Manifest(params Variant[] variants)
    {
        var dense = Variant("dense", 1000, 0.99);
        return new FamilyManifest(
            "lenet", 8, 17, [new("image", "float32", ["N", 1, 28, 28])], [new("logits", "float32", ["N", 10])],
            [new("fc1", "linear", 20, 30, 16)],
            new Provenance { Source = "model.lod.onnx", SourceSha256 = Sha, CreatedBy = "maestro 0.1.0", CreatedUtc = Then },
            [.. variants.Append(dense).Select(variant => new FileHash(variant.File, 10, Sha))],
            dense, variants);
    }

    public static FamilyManifest Manifest() => Manifest(
        Variant("b50", 500, 0.97) with
        {
            Budget = 0.5,
            Plan = Plan(("fc1", 8), ("fc2", null)),
            AccuracySamples = 100,
            AccuracyData = "digits",
        });

    public static DeviceFingerprint Device() => new()
    {
        Name = "some-cpu",
        Cpu = "Some CPU",
        Cores = 2,
        MemoryBytes = 1024,
        OperatingSystem = "Linux",
        Architecture = "x64",
        OnnxRuntime = "1.31.1",
    };

    /// <summary>The use that <see cref="Measurement"/> is of.</summary>
    public static RunConditions Use => new() { Provider = "cpu", Threads = 2 };

    public static Measurement Measurement() => new()
    {
        Mode = "quick",
        Provider = "cpu",
        Threads = 2,
        Spinning = true,
        Prepacked = true,
        Batch = 1,
        Order = "shuffled",
        Rounds = 16,
        Seed = 7,
        MeasuredUtc = Then,
    };

    /// <summary>A latency whose every percentile is the given one, and each upper bound a tenth above it.</summary>
    public static VariantLatency Latency(string id, double microseconds) => new(id, 1.5, 90, 12, true, new LatencyStatistics
    {
        Samples = 64,
        MinUs = microseconds,
        P50Us = microseconds,
        P90Us = microseconds,
        P95Us = microseconds,
        P50UpperUs = microseconds + (microseconds / 10),
        P90UpperUs = microseconds + (microseconds / 10),
        P95UpperUs = microseconds + (microseconds / 10),
        MadUs = 0.5,
        CoefficientOfVariation = 0.02,
    });

    public static LatencyProfile Profile(params VariantLatency[] variants) => new()
    {
        Family = "lenet",
        FamilySha256 = Sha,
        Device = Device(),
        Measurement = Measurement(),
        CallOverheadUs = 3,
        Variants = variants.Length > 0 ? variants : [Latency("b50", 40)],
    };
}
