using MaestroDeploy.Data;

namespace MaestroDeploy.Tests.Cli;

/// <summary>The whole road, from the command line, on real data.</summary>
[TestClass]
public sealed class RoadTests
{
    [TestMethod]
    public void Quickstart_FromNothing_MakesAFamilyThatKeepsItsAccuracyAndAnswers()
    {
        using var folder = new TemporaryFolder();

        var report = CommandLine.Run("quickstart", "--out", folder["quick"], "--json").Succeeded().Json;

        var dense = report.GetProperty("dense").GetProperty("accuracy").GetDouble();
        var variants = report.GetProperty("variants").EnumerateArray().ToArray();
        Assert.IsGreaterThanOrEqualTo(0.96, dense);
        Assert.IsGreaterThanOrEqualTo(5, variants.Length);
        Assert.IsGreaterThanOrEqualTo(dense - 0.02, variants[^1].GetProperty("accuracy").GetDouble());
        Assert.IsLessThan(report.GetProperty("dense").GetProperty("macs").GetInt64() / 20, variants[^1].GetProperty("macs").GetInt64());
        Assert.IsTrue(variants.All(variant => variant.GetProperty("p50_us").GetDouble() > 0 && variant.GetProperty("samples").GetInt32() >= 64));
        Assert.IsTrue(report.GetProperty("selection").GetProperty("fits").GetBoolean());
        Assert.AreEqual(report.GetProperty("answer").GetProperty("expected").GetInt32(), report.GetProperty("answer").GetProperty("answer").GetInt32());
    }

    [TestMethod]
    public void TrainExportProfileSelectRun_LeNetOnFashionMnist_GoesTheWholeRoad()
    {
        using var folder = new TemporaryFolder();
        var data = Load("fashion-mnist");

        var trained = CommandLine.Run("train", "lenet", "--data", "fashion-mnist", "--epochs", "3", "--out", folder["run"], "--json").Succeeded().Json;
        var exported = CommandLine.Run("export", folder["run/model.lod.onnx"], "--data", "fashion-mnist", "--budgets", "1,0.5,0.35,0.25,0.15", "--out", folder["family"], "--json").Succeeded().Json;
        var profiled = CommandLine.Run("profile", folder["family"], "--json").Succeeded().Json;
        var selected = CommandLine.Run("select", folder["family"], "--max-latency", "1s", "--json").Succeeded().Json;
        var sample = new float[data.Test.SampleSize];
        data.Test.CopySamples([0], sample);
        NpyFile.Write(folder["x.npy"], data.Test.SampleShape, sample);
        var ran = CommandLine.Run("run", folder["family"], "--input", folder["x.npy"], "--max-latency", "1s", "--json").Succeeded().Json;

        Assert.IsGreaterThan(0.8, trained.GetProperty("accuracy").GetDouble()); // chance is 0.1
        Assert.HasCount(3, File.ReadAllLines(folder["run/metrics.jsonl"]));
        Assert.AreEqual(5, exported.GetProperty("variants").GetArrayLength());
        Assert.AreEqual(5, profiled.GetProperty("variants").EnumerateArray().Count(variant => variant.GetProperty("p90_us").GetDouble() > 0));
        Assert.AreEqual(selected.GetProperty("variant").GetProperty("id").GetString(), ran.GetProperty("variant").GetProperty("id").GetString());
        Assert.AreEqual(10, ran.GetProperty("outputs")[0].GetProperty("values").GetArrayLength());
    }

    [TestMethod]
    public void Select_BeforeProfile_SaysWhatToRun()
    {
        using var folder = new TemporaryFolder();
        SmallFamily.In(folder);

        CommandLine.Run("select", folder["family"], "--max-latency", "5ms").FailedSaying("maestro profile");
    }

    [TestMethod]
    public void Select_AfterANewExport_RefusesTheOldProfile()
    {
        using var folder = new TemporaryFolder();
        SmallFamily.In(folder);
        CommandLine.Run("profile", folder["family"]).Succeeded();
        CommandLine.Run("select", folder["family"]).Succeeded();
        SmallFamily.In(folder, "1,0.4");

        CommandLine.Run("select", folder["family"]).FailedSaying("changed since it was measured");
    }

    [TestMethod]
    public void Inspect_AModelAFactoredModelAndAFamily_TellsWhatTheyAre()
    {
        using var folder = new TemporaryFolder();
        SmallFamily.In(folder);

        Assert.AreEqual("model.lod.onnx", CommandLine.Run("inspect", folder["m.lod.onnx"], "--json").Succeeded().Json.GetProperty("kind").GetString());
        Assert.AreEqual("ONNX model", CommandLine.Run("inspect", folder["family/dense.onnx"], "--json").Succeeded().Json.GetProperty("kind").GetString());
        Assert.AreEqual(2, CommandLine.Run("inspect", folder["family"], "--json").Succeeded().Json.GetProperty("variants").GetArrayLength());
        StringAssert.Contains(CommandLine.Run("inspect", folder["family"]).Succeeded().Output, "logits");
    }

    [TestMethod]
    public void Doctor_OnAnyMachine_TellsWhatItHasAndLacks()
    {
        var report = CommandLine.Run("doctor", "--json").Succeeded().Json;

        var findings = report.GetProperty("findings").EnumerateArray().ToDictionary(finding => finding.GetProperty("what").GetString()!);
        StringAssert.Contains(findings["ONNX Runtime"].GetProperty("found").GetString(), "CPUExecutionProvider");
        StringAssert.Contains(findings["Torch"].GetProperty("found").GetString(), "libtorch");
        StringAssert.Contains(findings["data: digits"].GetProperty("found").GetString(), "1,442");
    }

    [TestMethod]
    public void DataGet_ASetThatIsThere_ChecksItAndLeavesItAlone()
    {
        Load("fashion-mnist");

        var report = CommandLine.Run("data", "get", "fashion-mnist", "--json").Succeeded().Json;

        Assert.IsTrue(report.GetProperty("sets")[0].GetProperty("was_already_there").GetBoolean());
    }

    static DataSet Load(string name)
    {
        try
        {
            return DataSets.Load(name);
        }
        catch (DataFormatException e)
        {
            Assert.Inconclusive(e.Message);
            throw;
        }
    }
}
