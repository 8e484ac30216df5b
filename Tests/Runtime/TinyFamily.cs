using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;
using MaestroDeploy.Tests.Profiles;

namespace MaestroDeploy.Tests.Runtime;

/// <summary>A family and its dense baseline in a folder of its own, gone when the test is.</summary>
/// <remarks>The first variant multiplies the sum of its input by 1, the second by 2 and so on; accuracies fall from 0.9 by 0.1.</remarks>
sealed class TinyFamily : IDisposable
{
    readonly TemporaryFolder _outside;

    /// <param name="variants">Their ids, the largest first; null for <c>large</c> and <c>small</c>.</param>
    public TinyFamily(params string[] variants)
    {
        _outside = new TemporaryFolder();
        variants = variants.Length > 0 ? variants : ["large", "small"];
        Directory.CreateDirectory(Path);
        foreach (var (i, id) in variants.Append("dense").Index())
        {
            File.WriteAllBytes(this[$"{id}.onnx"], TinyModel.MatMul(weight: i + 1));
        }

        Manifest = new FamilyManifest(
            "tiny", 8, 17, [new("x", "float32", ["N", 3])], [new("sum", "float32", ["N", 2])], [],
            new Provenance { Source = "tiny.onnx", SourceSha256 = Samples.Sha, CreatedBy = "a test", CreatedUtc = Samples.Then },
            [.. variants.Append("dense").Select(id => FileHash.Of(this[$"{id}.onnx"]))],
            Samples.Variant("dense", 10), [.. variants.Select((id, i) => Samples.Variant(id, 9 - i, 0.9 - (0.1 * i)))]);
        ProfilesJson.Write(this[FamilyManifest.FileName], Manifest);
    }

    TinyFamily(TinyFamily folder, FamilyManifest manifest) => (_outside, Manifest) = (folder._outside, manifest);

    public FamilyManifest Manifest { get; }

    /// <summary>A family of one translator, <see cref="TinyModel.Translator"/>.</summary>
    public static TinyFamily Translator()
    {
        var blank = new TinyFamily("only");
        File.WriteAllBytes(blank["only.onnx"], TinyModel.Translator());
        var manifest = blank.Manifest;
        var tiny = new TinyFamily(blank, new FamilyManifest(
            "translator", 8, 17, [new("source", "int64", ["N", "S"]), new("target", "int64", ["N", "T"])], [new("logits", "float32", ["N", "T", 2])], [],
            manifest.Provenance, [FileHash.Of(blank["only.onnx"]), FileHash.Of(blank["dense.onnx"])], manifest.Dense, manifest.Variants));
        ProfilesJson.Write(tiny[FamilyManifest.FileName], tiny.Manifest);
        return tiny;
    }

    /// <summary>The family's folder, inside another one that tests may write to.</summary>
    public string Path => System.IO.Path.Combine(Outside, "tiny");

    public string Outside => _outside.Path;

    public string this[string file] => System.IO.Path.Combine(Path, file);

    /// <summary>A profile of this family: one latency for each variant, in microseconds, the same at every percentile.</summary>
    public LatencyProfile Profile(params double[] microseconds) =>
        Samples.Profile([.. Manifest.Variants.Zip(microseconds, (variant, us) => Samples.Latency(variant.Id, us))]) with { FamilySha256 = Open().Sha256 };

    public Family Open() => Family.Open(Path);

    public void Dispose() => _outside.Dispose();
}
