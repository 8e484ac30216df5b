using MaestroDeploy.Exporter;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;
using MaestroDeploy.Runtime.Elastic;
using MaestroDeploy.Tests.Profiles;

namespace MaestroDeploy.Tests.Runtime.Elastic;

/// <summary>Prepacked weights kept in files: the same answers, written once, and never believed when they have changed.</summary>
[TestClass]
public sealed class PackedGraphsTests : IDisposable
{
    const float Tolerance = 1e-6f; // the same kernels on the same layout

    static readonly SessionSettings Settings = new() { Threads = 1, Spinning = false };

    readonly TemporaryFolder _folder = new();

    public PackedGraphsTests()
    {
        SmallModels.Mlp.Save(_folder["m.lod.onnx"]);
        new FamilyExporter(new ExportOptions { Budgets = [new Budget(1), new Budget(0.25)] }).Export(_folder["m.lod.onnx"], _folder["family"]);
    }

    ElasticOptions Options => new() { Settings = Settings, PackedFolder = _folder["family.packed"] };

    public void Dispose() => _folder.Dispose();

    [TestMethod]
    public void Run_OnEveryVariant_AnswersAsWithoutAndIsWrittenOnce()
    {
        var expected = Answers(Options with { PackedFolder = null });

        var first = Answers(Options);
        var written = Files();
        var second = Answers(Options);

        Assert.HasCount(2, expected);
        Assert.HasCount(6, written); // a graph, its weights and their hashes, twice
        AssertClose(expected, first);
        AssertClose(expected, second);
        CollectionAssert.AreEqual(written, Files());
    }

    [TestMethod]
    [DataRow("graph.onnx")]
    [DataRow("graph.bin")]
    [DataRow("packed.json")]
    public void Run_AfterAFileChanged_IsMadeAnewAndRight(string file)
    {
        var expected = Answers(Options);
        var kept = Directory.GetFiles(_folder["family.packed"], file, SearchOption.AllDirectories).ToDictionary(path => path, File.ReadAllBytes);
        foreach (var (path, bytes) in kept)
        {
            byte[] changed = [.. bytes];
            changed[changed.Length / 2] ^= 1;
            File.WriteAllBytes(path, changed);
        }

        AssertClose(expected, Answers(Options));
        Assert.HasCount(6, Files());
        foreach (var (path, bytes) in kept)
        {
            CollectionAssert.AreEqual(bytes, File.ReadAllBytes(path), path);
        }
    }

    [TestMethod]
    public void Run_AfterALabelWasGivenNoFile_IsMadeAnewAndRight()
    {
        var expected = Answers(Options);
        foreach (var label in Directory.GetFiles(_folder["family.packed"], "packed.json", SearchOption.AllDirectories))
        {
            var text = File.ReadAllText(label);
            File.WriteAllText(label, text.Insert(text.LastIndexOf(']'), ", null"));
        }

        AssertClose(expected, Answers(Options));
        Assert.HasCount(6, Files());
    }

    [TestMethod]
    public void Open_WhereNothingCanBeWritten_IsRefusedByName()
    {
        _folder.Write("family.packed", "a file");

        Assert.Contains("family.packed", Assert.ThrowsExactly<ModelException>(() => Answers(Options)).Message);
    }

    [TestMethod]
    public void Open_WithoutPrepacking_IsRefused() => Assert.Contains(
        "keeps weights", Assert.ThrowsExactly<ArgumentException>(() => Answers(Options with { Settings = Settings with { Prepack = false } })).Message);

    (string Path, DateTime Written)[] Files() =>
        [.. Directory.GetFiles(_folder["family.packed"], "*", SearchOption.AllDirectories).Order().Select(path => (path, File.GetLastWriteTimeUtc(path)))];

    Dictionary<string, float[]> Answers(ElasticOptions options)
    {
        var family = Family.Open(_folder["family"]);
        var profile = Samples.Profile([.. family.Manifest.Variants.Select((variant, i) => Samples.Latency(variant.Id, 2000 - i))]) with { FamilySha256 = family.Sha256 };
        using var session = new ElasticSession(family, profile, options: options);
        var input = Numbers.Uniform(64);
        return session.Log.Ladder.ToDictionary(rung => rung.Variant, rung =>
        {
            var output = new float[10];
            session.SwitchTo(rung.Variant);
            Assert.AreEqual(rung.Variant, session.Run(input, output).Id);
            return output;
        });
    }

    static void AssertClose(Dictionary<string, float[]> expected, Dictionary<string, float[]> found)
    {
        foreach (var (variant, answer) in expected)
        {
            Assert.IsTrue(answer.Zip(found[variant]).All(pair => Math.Abs(pair.First - pair.Second) <= Tolerance), variant);
        }
    }
}
