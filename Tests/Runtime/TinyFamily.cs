using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;
using MaestroDeploy.Tests.Profiles;

namespace MaestroDeploy.Tests.Runtime;

/// <summary>A family of two variants and a dense baseline in a folder of its own, gone when the test is.</summary>
sealed class TinyFamily : IDisposable
{
    static readonly string[] Graphs = ["large.onnx", "small.onnx", "dense.onnx"];

    readonly TemporaryFolder _outside = new();

    public TinyFamily()
    {
        Directory.CreateDirectory(Path);
        foreach (var (i, graph) in Graphs.Index())
        {
            File.WriteAllBytes(this[graph], TinyModel.MatMul(weight: i + 1));
        }

        Manifest = new FamilyManifest(
            "tiny", 8, 17, [new("x", "float32", ["N", 3])], [new("sum", "float32", ["N", 2])], [],
            new Provenance { Source = "tiny.onnx", SourceSha256 = Samples.Sha, CreatedBy = "a test", CreatedUtc = Samples.Then },
            [.. Graphs.Select(graph => FileHash.Of(this[graph]))],
            Samples.Variant("dense", 6), [Samples.Variant("large", 5, 0.9), Samples.Variant("small", 4, 0.8)]);
        ProfilesJson.Write(this[FamilyManifest.FileName], Manifest);
    }

    public FamilyManifest Manifest { get; }

    /// <summary>The family's folder, inside another one that tests may write to.</summary>
    public string Path => System.IO.Path.Combine(Outside, "tiny");

    public string Outside => _outside.Path;

    public string this[string file] => System.IO.Path.Combine(Path, file);

    public Family Open() => Family.Open(Path);

    public void Dispose() => _outside.Dispose();
}
