using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Build;

namespace MaestroDeploy.Tests.Cli;

[TestClass]
public sealed class InspectModelTests
{
    [TestMethod]
    public void Inspect_AWeightOfRankTwo_TellsItsRanksAndWhatWouldBeSaved()
    {
        using var folder = new TemporaryFolder();
        var g = new GraphBuilder("low", seed: 1);
        var model = g.Build(g.Linear(g.Input("x", 40), "fc", 30, bias: false));
        float[] u = Numbers.Uniform(60, seed: 1), v = Numbers.Uniform(80, seed: 2);
        var weight = Enumerable.Range(0, 1200).Select(i => u[i / 40] * v[i % 40] + u[30 + i / 40] * v[40 + i % 40]);
        model.Graph.Initializer[0] = TensorValues.Create("fc.weight", [30, 40], [.. weight]);
        model.Save(folder["low.onnx"]);

        var report = CommandLine.Run("inspect", folder["low.onnx"], "--json").Succeeded().Json;
        var layer = report.GetProperty("layers")[0];

        Assert.AreEqual(30, layer.GetProperty("full_rank").GetInt32());
        Assert.AreEqual(2, layer.GetProperty("numerical_rank").GetInt32());
        Assert.IsLessThanOrEqualTo(2, layer.GetProperty("energy_rank").GetInt32());
        Assert.AreEqual(17, layer.GetProperty("break_even").GetInt32());
        Assert.AreEqual(1, report.GetProperty("factorable_share").GetDouble());
        Assert.IsGreaterThan(0.85, report.GetProperty("energy_saving").GetDouble()); // 1 - 2·70/1200
    }

    [TestMethod]
    [DataRow("standard_v3_3.onnx", "little is to be gained")]
    [DataRow("mnist_relu_9_200.onnx", "little is to be gained")]
    [DataRow("silero_vad.onnx", "None of its weights can be factored")]
    [DataRow("model_1.onnx", "its weights are recurrent")]
    [DataRow("FastestDet.onnx", "it has 24 groups")]
    public void Inspect_AForeignModel_SaysHonestlyWhatIsToBeGained(string file, string says) =>
        StringAssert.Contains(CommandLine.Run("inspect", SharedFolder.Require("models", file)).Succeeded().Output, says);

    [TestMethod]
    public void Inspect_AModelCutToAQuarterOfItsRanks_SharesAreOfWhatItHolds()
    {
        using var folder = new TemporaryFolder();
        CommandLine.Run("train", "mlp", "--hidden", "64", "--data", "digits", "--recipe", "pufferfish", "--epochs", "1", "--out", folder["run"]).Succeeded();

        var report = CommandLine.Run("inspect", folder["run/model.lod.onnx"], "--json").Succeeded().Json;

        Assert.IsTrue(report.GetProperty("factorable_share").GetDouble() is > 0.5 and < 1);
        Assert.IsTrue(report.GetProperty("energy_saving").GetDouble() is >= 0 and < 1);
    }

    [TestMethod]
    public void Inspect_AnOpenAxisOfNoSize_IsRefused() =>
        Assert.AreEqual(2, CommandLine.Run("inspect", "model.onnx", "--open-axis", "0").ExitCode);
}
