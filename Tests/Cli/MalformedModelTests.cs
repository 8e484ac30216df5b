using Google.Protobuf;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Build;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Tests.Cli;

/// <summary>Models that parse but make no sense, or that the trainer cannot take: told in a line, never a crash.</summary>
[TestClass]
public sealed class MalformedModelTests
{
    [TestMethod]
    [DataRow("pool without a kernel")]
    [DataRow("stride of zero")]
    [DataRow("one pad")]
    [DataRow("transpose by axes that are not there")]
    [DataRow("weight with an axis of zero")]
    [DataRow("weight with an axis beyond an int")]
    [DataRow("flatten at an axis that is not there")]
    [DataRow("reshape with one input")]
    [DataRow("node without outputs")]
    [DataRow("convolution without a weight")]
    public void Inspect_AModelThatMakesNoSense_EndsInALineOrAnAnswer(string flaw)
    {
        using var folder = new TemporaryFolder();
        folder.Write("odd.onnx", Flawed(flaw).Proto.ToByteArray());

        var result = CommandLine.Run("inspect", folder["odd.onnx"]);

        if (result.ExitCode != 0)
        {
            result.FailedSaying("odd.onnx");
        }
    }

    [TestMethod]
    [DataRow("five classes", "has 10 classes")]
    [DataRow("a reshape that fixes the batch", "Torch refuses")]
    [DataRow("a convolution over one axis", "not of the same one to three axes")]
    [DataRow("a weight that is not a number", "not numbers")]
    [DataRow("no input", "takes no input")]
    public void Train_AModelThatCannotBeTrained_SaysWhyAndWritesNothing(string flaw, string why)
    {
        using var folder = new TemporaryFolder();
        folder.Write("odd.onnx", Untrainable(flaw).Proto.ToByteArray());

        CommandLine.Run("train", folder["odd.onnx"], "--data", "digits", "--out", folder["run"]).FailedSaying(why);

        Assert.IsFalse(Directory.Exists(folder["run"]));
    }

    [TestMethod]
    public void TrainThenExport_AModelWithAFixedBatch_OpensIt()
    {
        using var folder = new TemporaryFolder();
        var g = new GraphBuilder("fixed", seed: 1);
        var model = g.Build(g.Linear(g.Flatten(g.Input("image", 1, 8, 8)), "fc", 10));
        model.Graph.Input[0].Type.TensorType.Shape.Dim[0] = new TensorShapeProto.Types.Dimension { DimValue = 4 };
        model.Save(folder["fixed.onnx"]);

        var inspected = CommandLine.Run("inspect", folder["fixed.onnx"], "--json").Succeeded().Json;
        CommandLine.Run("train", folder["fixed.onnx"], "--data", "digits", "--epochs", "1", "--out", folder["run"]).Succeeded();
        CommandLine.Run("export", folder["run/model.lod.onnx"], "--data", "digits", "--out", folder["family"]).Succeeded();

        Assert.AreEqual(640, inspected.GetProperty("macs").GetInt64()); // one sample's, whatever the batch
    }

    [TestMethod]
    public void Train_AModelThatIsFactoredAlready_GoesOnFromItsFactors()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);

        CommandLine.Run("train", folder["m.lod.onnx"], "--data", "digits", "--epochs", "1", "--out", folder["run"]).Succeeded();

        CollectionAssert.AreEqual(new[] { "fc1", "fc2", "logits" }, LodModel.Load(folder["run/model.lod.onnx"]).Pairs.Select(pair => pair.Layer).ToArray());
    }

    [TestMethod]
    public void Train_WithAnInitializerNamedAsAFactorWouldBe_ChoosesAnotherName()
    {
        using var folder = new TemporaryFolder();
        var g = new GraphBuilder("names", seed: 1);
        var model = g.Build(g.Linear(g.Flatten(g.Input("image", 1, 8, 8)), "fc", 10));
        model.Graph.Initializer.First(tensor => tensor.Name == "fc.bias").Name = "fc.v";
        model.Graph.Node[1].Input[2] = "fc.v";
        model.Save(folder["names.onnx"]);

        CommandLine.Run("train", folder["names.onnx"], "--data", "digits", "--epochs", "1", "--out", folder["run"]).Succeeded();
        CommandLine.Run("export", folder["run/model.lod.onnx"], "--data", "digits", "--out", folder["family"]).Succeeded();
    }

    [TestMethod]
    public void Train_IntoAFileInsteadOfAFolder_IsToldBeforeTraining()
    {
        using var folder = new TemporaryFolder();
        folder.Write("taken", "a file");

        var result = CommandLine.Run("train", "mlp", "--data", "digits", "--out", folder["taken/run"]);

        result.FailedSaying("where a folder is needed");
        Assert.IsFalse(result.Error.Contains("epoch", StringComparison.Ordinal));
    }

    [TestMethod]
    public void Export_IntoAFolderWithAForeignManifest_DeletesNothing()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);
        folder.Write("mine/family.json", """{"smith": 1}""");
        folder.Write("mine/thesis.txt", "years of work");

        CommandLine.Run("export", folder["m.lod.onnx"], "--out", folder["mine"]).FailedSaying("other things");

        Assert.AreEqual("years of work", File.ReadAllText(folder["mine/thesis.txt"]));
    }

    [TestMethod]
    public void Export_IntoAFamilyWithAnotherFileInIt_DeletesNothing()
    {
        using var folder = new TemporaryFolder();
        SmallFamily.In(folder);
        folder.Write("family/notes.txt", "mine");

        CommandLine.Run("export", folder["m.lod.onnx"], "--out", folder["family"]).FailedSaying("other things");

        Assert.AreEqual("mine", File.ReadAllText(folder["family/notes.txt"]));
    }

    [TestMethod]
    public void Export_BudgetsThatComeToOnePlan_AreTold()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);

        var result = CommandLine.Run("export", folder["m.lod.onnx"], "--out", folder["family"], "--budgets", "0.5,0.5000001").Succeeded();

        StringAssert.Contains(result.Output, "come to the plan of another");
    }

    [TestMethod]
    public void Run_OnNaN_AnswersInValidJson()
    {
        using var folder = new TemporaryFolder();
        SmallFamily.In(folder);
        CommandLine.Run("profile", folder["family"]).Succeeded();
        MaestroDeploy.Data.NpyFile.Write(folder["nan.npy"], [1, 8, 8], [.. Enumerable.Repeat(float.NaN, 64)]);

        var report = CommandLine.Run("run", folder["family"], "--input", folder["nan.npy"], "--json").Succeeded().Json;

        Assert.AreEqual(System.Text.Json.JsonValueKind.Null, report.GetProperty("outputs")[0].GetProperty("values")[0].ValueKind);
    }

    static OnnxModel Flawed(string flaw)
    {
        var g = new GraphBuilder("flawed", seed: 1);
        var model = g.Build(g.Linear(g.Flatten(g.MaxPool(g.Conv(g.Input("x", 2, 8, 8), "conv", channels: 3, kernel: 3), 2)), "fc", 4));
        NodeProto conv = model.Graph.Node[0], pool = model.Graph.Node[1], flatten = model.Graph.Node[2];
        var weight = model.Initializer("conv.weight")!;
        switch (flaw)
        {
            case "pool without a kernel":
                pool.Without("kernel_shape");
                break;
            case "stride of zero":
                pool.With("strides", 0, 0);
                break;
            case "one pad":
                conv.With("pads", 1L);
                break;
            case "transpose by axes that are not there":
                pool.OpType = "Transpose";
                pool.With("perm", 7, 8);
                break;
            case "weight with an axis of zero":
                weight.Dims[0] = 0;
                weight.RawData = ByteString.Empty;
                break;
            case "weight with an axis beyond an int":
                weight.Dims.Clear();
                weight.Dims.AddRange([0, 1L << 40]);
                weight.RawData = ByteString.Empty;
                break;
            case "flatten at an axis that is not there":
                flatten.With("axis", 9);
                break;
            case "reshape with one input":
                flatten.OpType = "Reshape";
                break;
            case "node without outputs":
                conv.Output.Clear();
                break;
            default:
                conv.Input.RemoveAt(2);
                conv.Input.RemoveAt(1);
                break;
        }

        return model;
    }

    static OnnxModel Untrainable(string flaw)
    {
        var g = new GraphBuilder("untrainable", seed: 1);
        switch (flaw)
        {
            case "five classes":
                return g.Build(g.Linear(g.Flatten(g.Input("image", 1, 8, 8)), "fc", 5));
            case "a reshape that fixes the batch":
                return g.Build(g.Linear(g.Reshape(g.Input("image", 1, 8, 8), 1, 64), "fc", 10));
            case "a convolution over one axis":
                var line = g.Build(g.Linear(g.Flatten(g.Conv(g.Input("image", 1, 8, 8), "conv", channels: 2, kernel: 3)), "fc", 10));
                line.Graph.Node[0].With("strides", 1L).With("pads", 0, 0);
                return line;
            case "a weight that is not a number":
                var broken = g.Build(g.Linear(g.Flatten(g.Input("image", 1, 8, 8)), "fc", 10));
                broken.Graph.Initializer[0] = TensorValues.Create("fc.weight", [10, 64], [.. Enumerable.Repeat(float.NaN, 640)]);
                return broken;
            default:
                var closed = g.Build(g.Linear(g.Flatten(g.Input("image", 1, 8, 8)), "fc", 10));
                closed.Graph.Initializer.Add(TensorValues.Create("image", [1, 1, 8, 8], new float[64]));
                return closed;
        }
    }
}
