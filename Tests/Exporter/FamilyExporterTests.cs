using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Data;
using MaestroDeploy.Exporter;
using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Build;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;
using MaestroDeploy.Runtime.Elastic;
using TorchSharp;

namespace MaestroDeploy.Tests.Exporter;

[TestClass]
public sealed class FamilyExporterTests
{
    // The bound that every exported graph must keep to Torch at the same plan.
    const float Parity = 1e-4f;

    [TestMethod]
    public void Export_AnOutputWithoutAStatedShape_HasTheOneThatOnnxRuntimeFindsAndOpens()
    {
        using var folder = new TemporaryFolder();
        var model = BuiltInModels.Create("mlp", [1, 8, 8], 10, seed: 1);
        model.Graph.Output[0].Type.TensorType.Shape = null;
        SvdFactoring.Factor(model, new LodProvenance()).Save(folder["m.lod.onnx"]);

        var manifest = new FamilyExporter(new ExportOptions { Budgets = [new Budget(0.5)] }).Export(folder["m.lod.onnx"], folder["family"]);

        Assert.HasCount(2, manifest.Outputs[0].Shape);
        using var session = ElasticSession.Open(folder["family"], options: new ElasticOptions { Settings = new SessionSettings { Threads = 1, Spinning = false } });
        Assert.AreEqual(10, session.Outputs[0].Shape[1]);
    }

    [TestMethod]
    public void Export_AModelThatRulesAnswersOutByInfinities_ComparesTheOthers()
    {
        using var folder = new TemporaryFolder();
        var g = new GraphBuilder("masked", seed: 1);
        var mask = g.Constant("mask", [4], [0, float.NegativeInfinity, 0, 0]);
        SvdFactoring.Factor(g.Build(g.Add(g.Linear(g.Input("x", 16), "fc", 4), mask)), new LodProvenance()).Save(folder["m.lod.onnx"]);

        var manifest = new FamilyExporter(new ExportOptions { Budgets = [new Budget(0.5)] }).Export(folder["m.lod.onnx"], folder["family"]);

        Assert.IsGreaterThan(0, manifest.Variants[0].Distance!.RelativeError);
    }

    [TestMethod]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)] // has no such names
    public void Export_ASourceWhoseNameNoFamilyMayHold_IsAFamilyStill()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["2026-01-02T12:30.lod.onnx"]);

        var manifest = new FamilyExporter(new ExportOptions { Budgets = [new Budget(0.5)] }).Export(folder["2026-01-02T12:30.lod.onnx"], folder["family"]);

        Assert.AreEqual(FileHash.Sha256Of(folder["2026-01-02T12:30.lod.onnx"]), manifest.Provenance.SourceSha256);
    }

    [TestMethod]
    [DataRow("mlp")]
    [DataRow("convolutions")]
    public void Export_AnyBudget_OnnxRuntimeAgreesWithTorch(string name)
    {
        using var folder = new TemporaryFolder();
        var lod = Model(name);
        var manifest = Export(lod, folder);
        var inputs = SmallModels.Digits.Test.Take(256).Batches(256).Single();

        foreach (var variant in manifest.Variants)
        {
            var path = Path.Combine(folder["family"], variant.File);
            var expected = OrtRunner.RunFile(path, inputs.Samples, inputs.Count, 1, 8, 8);

            var actual = TorchAtPlan(lod, variant.Plan!, OnnxModel.Load(path), inputs.Samples);

            Assert.IsLessThan(Parity, Numbers.LargestDifference(expected, actual), variant.Id);
        }
    }

    [TestMethod]
    [DataRow("mlp")]
    [DataRow("convolutions")]
    public void Export_AnyBudget_EqualsASelfContainedGraphToTheLastBit(string name)
    {
        using var folder = new TemporaryFolder();
        var manifest = Export(Model(name), folder);
        var inputs = SmallModels.Digits.Test.Take(256).Batches(256).Single();

        foreach (var variant in manifest.Variants)
        {
            var path = Path.Combine(folder["family"], variant.File);
            var contained = OnnxModel.Load(path);
            Inline(contained);

            CollectionAssert.AreEqual(
                OrtRunner.Run(contained, inputs.Samples, inputs.Count, 1, 8, 8), OrtRunner.RunFile(path, inputs.Samples, inputs.Count, 1, 8, 8), variant.Id);
        }
    }

    [TestMethod]
    [DataRow("mlp")]
    [DataRow("convolutions")]
    public void Export_AModelThatWasTuned_HasTheDenseGraphOfItsOriginal(string name)
    {
        using var folder = new TemporaryFolder();
        var original = Model(name);
        original.Save(folder["original.lod.onnx"]);
        Tuned(original).Save(folder["tuned.lod.onnx"]);
        var data = new LabelledSamples(SmallModels.Digits);

        var before = new FamilyExporter().Export(folder["original.lod.onnx"], folder["before"], data);
        var after = new FamilyExporter(new ExportOptions { Original = folder["original.lod.onnx"] }).Export(folder["tuned.lod.onnx"], folder["after"], data);

        CollectionAssert.AreEqual(File.ReadAllBytes(Path.Combine(folder["before"], "dense.bin")), File.ReadAllBytes(Path.Combine(folder["after"], "dense.bin")));
        Assert.AreEqual(before.Dense.Accuracy, after.Dense.Accuracy);
        Assert.IsGreaterThan(1e-3, after.Variants[0].Distance!.RelativeError, "the tuned model at full size is held against its original");
    }

    [TestMethod]
    public void Export_AnOriginalOfOtherLayers_IsRefusedAndWritesNothing()
    {
        using var folder = new TemporaryFolder();
        Model("mlp").Save(folder["m.lod.onnx"]);
        Model("convolutions").Save(folder["other.lod.onnx"]);
        var exporter = new FamilyExporter(new ExportOptions { Original = folder["other.lod.onnx"] });

        Assert.Contains("before it was tuned", Assert.ThrowsExactly<ExportException>(() => exporter.Export(folder["m.lod.onnx"], folder["family"])).Message);
        Assert.IsFalse(Directory.Exists(folder["family"]));
    }

    [TestMethod]
    public void Export_LeNet_KeepsItsFilesSmall()
    {
        using var folder = new TemporaryFolder();
        var lod = SvdFactoring.Factor(BuiltInModels.Create("lenet", [1, 28, 28], 10, seed: 1), new LodProvenance());
        lod.Save(folder["m.lod.onnx"]);

        var manifest = new FamilyExporter().Export(folder["m.lod.onnx"], folder["family"]);

        var places = manifest.Variants.SelectMany(variant => OnnxModel.Load(Path.Combine(folder["family"], variant.File)).Graph.Initializer)
            .Where(ExternalData.IsExternal).Select(tensor => ExternalData.Of(tensor, folder["family"], "family")).ToList();
        var eachOnce = places.GroupBy(place => place.Offset).Sum(group => group.Max(place => place.Length));
        Assert.IsLessThanOrEqualTo(1.05 * eachOnce, new FileInfo(Path.Combine(folder["family"], "weights.bin")).Length);
        Assert.IsTrue(Directory.GetFiles(folder["family"], "*.onnx").All(file => new FileInfo(file).Length < 64 << 10));
    }

    [TestMethod]
    public void Export_WithData_MeasuresEveryVariantAndRecordsWhatIsWritten()
    {
        using var folder = new TemporaryFolder();

        var manifest = Export(SmallModels.Mlp, folder);

        var family = Family.Open(folder["family"]); // checks every hash
        Assert.HasCount(manifest.Variants.Count, family.Manifest.Variants);
        Assert.IsTrue(manifest.Variants.All(variant => variant.AccuracySamples == 355 && variant.AccuracyData == "digits/test" && variant.MaxDifference < 1e-4));
        Assert.AreEqual("pixels / 16", manifest.Provenance.Scaling);
        foreach (var variant in manifest.Variants)
        {
            var model = OnnxModel.Load(family.PathOf(variant));
            Assert.AreEqual(variant.Params, MaestroDeploy.Onnx.Cost.ModelCost.Of(model).Params, variant.Id);
            Assert.AreEqual(variant.Macs, MaestroDeploy.Onnx.Cost.ModelCost.Of(model).Macs, variant.Id);
        }
    }

    [TestMethod]
    public void Export_TheSameModelTwice_WritesTheSameGraphsAndWeights()
    {
        using var folder = new TemporaryFolder();
        var first = Export(SmallModels.Convolutions, folder);

        var second = Export(SmallModels.Convolutions, folder); // over the first

        CollectionAssert.AreEqual(first.Files.ToList(), second.Files.ToList());
    }

    [TestMethod]
    public void Export_WithoutData_LeavesAccuracyUnmeasured()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);

        var manifest = new FamilyExporter().Export(folder["m.lod.onnx"], folder["family"]);

        Assert.IsTrue(manifest.Variants.All(variant => variant.Accuracy is null && variant.MaxDifference is not null));
    }

    [TestMethod]
    public void Export_IntoAFolderThatHoldsOtherThings_LeavesThemAlone()
    {
        using var folder = new TemporaryFolder();
        folder.Write("family/precious.txt", "mine");

        var error = Assert.ThrowsExactly<ExportException>(() => Export(SmallModels.Mlp, folder));

        StringAssert.Contains(error.Message, "other things");
        CollectionAssert.AreEqual(new[] { folder["family/precious.txt"] }, Directory.GetFiles(folder["family"]));
    }

    [TestMethod]
    public void Export_Cancelled_LeavesNothingBehind()
    {
        using var folder = new TemporaryFolder();
        using var cancelling = new CancellationTokenSource();
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);
        var progress = new CancelAt(2, cancelling);

        Assert.ThrowsExactly<OperationCanceledException>(() =>
            new FamilyExporter().Export(folder["m.lod.onnx"], folder["family"], new LabelledSamples(SmallModels.Digits), progress, cancelling.Token));

        CollectionAssert.AreEqual(new[] { folder["m.lod.onnx"] }, Directory.GetFileSystemEntries(folder.Path));
    }

    [TestMethod]
    public void Export_WithDataOfAnotherShape_NamesBothAndLeavesNothing()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);
        var samples = SampleSet.FromFloats("other", [1, 4, 4], 10, new float[32], [0, 1]);

        var error = Assert.ThrowsExactly<ExportException>(() =>
            new FamilyExporter().Export(folder["m.lod.onnx"], folder["family"], new LabelledSamples(new DataSet("other", samples, samples, "none"))));

        StringAssert.Contains(error.Message, "[1, 4, 4]");
        Assert.IsFalse(Directory.Exists(folder["family"]));
    }

    static LodModel Model(string name) => name == "mlp" ? SmallModels.Mlp : SmallModels.Convolutions;

    /// <summary>The model with other numbers in its factors, as after some steps of training.</summary>
    static LodModel Tuned(LodModel lod)
    {
        var model = lod.CloneUnlabelled();
        foreach (var u in lod.Pairs.Select(pair => model.Initializer(pair.U)!))
        {
            model.ReplaceInitializer(TensorValues.Create(u.Name, [.. u.Dims], [.. model.Floats(u).Select((value, i) => value * (1 + 0.02f * (i % 7)))]));
        }

        return new LodModel(model, lod.Pairs, lod.Provenance);
    }

    static FamilyManifest Export(LodModel lod, TemporaryFolder folder)
    {
        lod.Save(folder["m.lod.onnx"]);
        return new FamilyExporter().Export(folder["m.lod.onnx"], folder["family"], new LabelledSamples(SmallModels.Digits));
    }

    /// <summary>Torch's answer at a plan, with the BatchNorm statistics that the exported graph was given.</summary>
    static float[] TorchAtPlan(LodModel lod, RankPlan plan, OnnxModel exported, float[] inputs)
    {
        var model = lod.Model.Clone();
        foreach (var name in model.Graph.Node.Where(node => node.OpType == "BatchNormalization").SelectMany(node => node.Input.Skip(3)))
        {
            model.ReplaceInitializer(TensorValues.Create(name, [.. model.Initializer(name)!.Dims], exported.Floats(exported.Initializer(name)!)));
        }

        using var scope = torch.NewDisposeScope();
        using var graph = new TrainableGraph(new LodModel(model, lod.Pairs, lod.Provenance));
        var ranks = lod.Pairs.Select(pair => plan[pair.Layer].Components ?? pair.Rank(lod.Model)).ToArray();
        return graph.Forward(torch.tensor(inputs, [inputs.Length / 64, 1, 8, 8]), ranks).contiguous().data<float>().ToArray();
    }

    static void Inline(OnnxModel model)
    {
        for (var i = 0; i < model.Graph.Initializer.Count; i++)
        {
            var tensor = model.Graph.Initializer[i];
            if (ExternalData.IsExternal(tensor))
            {
                model.Graph.Initializer[i] = TensorValues.Create(tensor.Name, [.. tensor.Dims], model.Floats(tensor));
            }
        }
    }

    sealed class CancelAt(int graph, CancellationTokenSource cancelling) : IProgress<ExportProgress>
    {
        public void Report(ExportProgress value)
        {
            if (value.Done == graph)
            {
                cancelling.Cancel();
            }
        }
    }
}
