using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Data;
using MaestroDeploy.Exporter;
using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Exporter.Planning;
using MaestroDeploy.Exporter.Verification;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Build;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Onnx.Protos;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;
using static MaestroDeploy.Onnx.Protos.TensorProto.Types;
using static TorchSharp.torch;

namespace MaestroDeploy.Tests.Exporter;

[TestClass]
public sealed class BatchNormRecalibrationTests
{
    // Means over a few thousand values in float32.
    const double Rounding = 1e-5;

    [TestMethod]
    public void Export_ANormThatNoCutReaches_KeepsTheStatisticsItWasTrainedWith()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Convolutions.Save(folder["m.lod.onnx"]);

        // The second convolution is cut, and the first one, at its full rank, is multiplied back.
        var options = new ExportOptions { Budgets = [new Budget(0.9)], Unit = BudgetUnit.Macs };
        var manifest = new FamilyExporter(options).Export(folder["m.lod.onnx"], folder["family"], new LabelledSamples(SmallModels.Digits));

        Assert.IsTrue(manifest.Variants[0].Plan!["conv1"].IsDense);
        var (trained, cut) = (SmallModels.Convolutions.Model, OnnxModel.Load(folder[$"family/{manifest.Variants[0].File}"]));
        foreach (var name in new[] { "norm1.mean", "norm1.variance" })
        {
            Assert.IsLessThan(Rounding, Numbers.LargestDifference(trained.Floats(trained.Initializer(name)!), cut.Floats(cut.Initializer(name)!)));
        }
    }

    [TestMethod]
    [DataRow(DataType.Float, 1)]
    [DataRow(DataType.Float16, 200, DisplayName = "half a precision: eleven bits, not twenty-four")]
    public void Export_ANormAfterACutLayer_MovesByWhatTheCutChangesInTheData(DataType type, int coarser)
    {
        using var folder = new TemporaryFolder();
        var g = new GraphBuilder("norm", seed: 1);
        var x = g.BatchNorm(g.Conv(g.Input("x", 2, 3, 3), "conv", channels: 8, kernel: 3, pad: 1), "norm");
        var lod = SvdFactoring.Factor(g.Build(g.Linear(g.Flatten(x), "fc", 4)), new LodProvenance());
        Retype(lod.Model, type);
        lod.Save(folder["m.lod.onnx"]);
        var values = Numbers.Uniform(200 * 18); // fits one batch: the average over batches is then exact
        var samples = SampleSet.FromFloats("uniform", [2, 3, 3], 4, values, [.. Enumerable.Range(0, 200).Select(i => i % 4)]);

        var options = new ExportOptions { Budgets = [new Budget(0.25)], Unit = BudgetUnit.Ranks };
        new FamilyExporter(options).Export(folder["m.lod.onnx"], folder["family"], new LabelledSamples(new DataSet("uniform", samples, samples, "none")));

        var model = OnnxModel.Load(folder["family/b25.onnx"]);
        Assert.AreEqual((int)type, model.Initializer("norm.mean")!.DataType);
        var (before, after) = (Moments(lod, values, rank: 8), Moments(lod, values, rank: 2));
        for (var channel = 0; channel < 8; channel++)
        {
            // Trained statistics are those of a fresh norm here: mean 0 and variance 1.
            Assert.AreEqual(after[channel].Mean - before[channel].Mean, model.Floats(model.Initializer("norm.mean")!)[channel], coarser * Rounding);
            Assert.AreEqual(after[channel].Variance / before[channel].Variance, model.Floats(model.Initializer("norm.variance")!)[channel], 10 * coarser * Rounding);
        }
    }

    [TestMethod]
    public void Apply_StatisticsThatTwoNormsShare_MoveOnceByTheAverage()
    {
        var g = new GraphBuilder("shared", seed: 1);
        var model = g.Build(g.BatchNorm(g.BatchNorm(g.Input("x", 1, 2, 2), "first"), "second"));
        for (var input = 3; input <= 4; input++)
        {
            model.Graph.Node[1].Input[input] = model.Graph.Node[0].Input[input];
        }

        BatchNormRecalibration.Apply(model, cut: [[1], [4], [3], [8]], uncut: [[0], [2], [1], [1]]);

        Assert.AreEqual(2 - 0.5f, model.Floats(model.Initializer("first.mean")!)[0]);
        Assert.AreEqual(6 / 1.5f, model.Floats(model.Initializer("first.variance")!)[0]);
    }

    [TestMethod]
    public void Apply_VariancesOfASingleValue_StayAsTheyWereTrained()
    {
        var g = new GraphBuilder("single", seed: 1);
        var model = g.Build(g.BatchNorm(g.Input("x", 2, 2, 2), "norm"));

        BatchNormRecalibration.Apply(model, cut: [[1, 1], [0, 3]], uncut: [[0, 0], [0, 0]]);

        CollectionAssert.AreEqual(new float[] { 1, 3 }, model.Floats(model.Initializer("norm.variance")!), "the second channel was dead before the cut");
    }

    [TestMethod]
    [DataRow(true, DisplayName = "Constant nodes")]
    [DataRow(false, DisplayName = "an initializer that the next node adds")]
    public void Factor_StatisticsWhereTheyCannotBeMoved_BecomeTheNormsOwn(bool isNode)
    {
        var g = new GraphBuilder("norm", seed: 1);
        var x = g.BatchNorm(g.Conv(g.Input("x", 2, 3, 3), "conv", channels: 8, kernel: 3, pad: 1), "norm");
        var model = g.Build(g.Linear(g.Flatten(x), "fc", 4));
        var norm = model.Graph.Node.Single(node => node.OpType == "BatchNormalization");
        if (isNode)
        {
            foreach (var name in norm.Input.Skip(3))
            {
                var made = new NodeProto { OpType = "Constant", Name = name, Output = { name } };
                made.Attribute.Add(new AttributeProto { Name = "value", Type = AttributeProto.Types.AttributeType.Tensor, T = model.Initializer(name) });
                model.Graph.Node.Insert(0, made);
                model.Graph.Initializer.Remove(model.Initializer(name));
            }
        }
        else
        {
            norm.Input[2] = norm.Input[3]; // its bias is its mean
        }

        var input = Numbers.Uniform(18);
        var expected = OrtRunner.Run(model, input, 1, 2, 3, 3);

        var factored = SvdFactoring.Factor(model, new LodProvenance()).Model;

        Assert.HasCount(1, BatchNormRecalibration.Norms(factored));
        Assert.HasCount(isNode ? 2 : 1, factored.Graph.Initializer.Where(tensor => model.Initializer(tensor.Name) is null && tensor.Dims is [8]).ToArray());
        Assert.IsLessThan(Rounding, Numbers.LargestDifference(expected, OrtRunner.Run(factored, input, 1, 2, 3, 3)));
    }

    [TestMethod]
    public void Norms_WhatIsNormalisedHasNoKnownAxes_StayAsTheyWereTrained()
    {
        var g = new GraphBuilder("norm", seed: 1);
        var model = g.Build(g.BatchNorm(g.Relu(g.Input("x", 2, 3, 3)), "norm"));

        Assert.HasCount(1, BatchNormRecalibration.Norms(model));
        model.Graph.Node[0].OpType = "Mystery";
        Assert.IsEmpty(BatchNormRecalibration.Norms(model));
    }

    static void Retype(OnnxModel model, DataType type)
    {
        foreach (var tensor in model.Graph.Initializer.Where(tensor => tensor.DataType == (int)DataType.Float).ToList())
        {
            model.ReplaceInitializer(TensorValues.Create(tensor.Name, [.. tensor.Dims], model.Floats(tensor), type));
        }

        foreach (var value in model.Graph.Input.Concat(model.Graph.Output))
        {
            value.Type.TensorType.ElemType = (int)type;
        }
    }

    /// <summary>Mean and variance of each channel behind the convolution at a rank.</summary>
    static (double Mean, double Variance)[] Moments(LodModel lod, float[] values, int rank)
    {
        using var scope = NewDisposeScope();
        using var nothing = no_grad();
        Tensor V() => tensor(lod.Model.Floats(lod.Model.Initializer(lod.Pairs[0].V)!), [8, 2, 3, 3])[..rank];
        Tensor U() => tensor(lod.Model.Floats(lod.Model.Initializer(lod.Pairs[0].U)!), [8, 8, 1, 1])[..rank].transpose(0, 1);
        var bias = tensor(lod.Model.Floats(lod.Model.Initializer("conv.bias")!));
        var y = nn.functional.conv2d(nn.functional.conv2d(tensor(values, [200, 2, 3, 3]), V(), padding: [1, 1]), U(), bias).transpose(0, 1).reshape(8, -1).to(float64);
        return [.. Enumerable.Range(0, 8).Select(channel => (y[channel].mean().item<double>(), y[channel].@var(unbiased: false).item<double>()))];
    }

    [TestMethod]
    public void Export_ACutConvolutionalNet_IsMoreAccurateWithItsOwnStatistics()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Convolutions.Save(folder["m.lod.onnx"]);
        var options = new ExportOptions { Budgets = [new Budget(0.15)] };
        var digits = new LabelledSamples(SmallModels.Digits);

        var without = new FamilyExporter(options).Export(folder["m.lod.onnx"], folder["without"]);
        var with = new FamilyExporter(options).Export(folder["m.lod.onnx"], folder["with"], digits);

        using var session = new ModelSession(folder[$"without/{without.Variants[0].File}"]);
        Assert.IsGreaterThan(digits.Measure(session).Accuracy, with.Variants[0].Accuracy!.Value);
        Assert.IsGreaterThan(0.5, with.Variants[0].Accuracy!.Value); // chance is 0.1
    }
}
