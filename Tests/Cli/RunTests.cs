using MaestroDeploy.Data;
using MaestroDeploy.Tests.Runtime;

namespace MaestroDeploy.Tests.Cli;

/// <summary><c>maestro run</c>: any number of inputs of any type, given by name, and every output as the graph gives it.</summary>
[TestClass]
public sealed class RunTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [TestMethod]
    public void Run_AFamilyOfTwoInputsByName_Answers()
    {
        using var tiny = TinyFamily.Translator();

        var report = CommandLine.Run(
            "run", tiny.Path, "--calibrate", "--threads", "1", "--json", "--input", $"target={Longs("t.npy", 0, 1, 2)}", "--input", $"source={Longs("s.npy", 1, 3)}").Succeeded().Json;

        var logits = report.GetProperty("outputs")[0];
        Assert.AreEqual("only", report.GetProperty("variant").GetProperty("id").GetString());
        Assert.AreEqual("[1,3,2]", logits.GetProperty("shape").GetRawText().Replace(" ", "").Replace("\n", ""));
        CollectionAssert.AreEqual(new double[] { 2, 20, 3, 30, 4, 40 }, logits.GetProperty("values").EnumerateArray().Select(value => value.GetDouble()).ToArray());
    }

    [TestMethod]
    public void Run_OneGraphFromAnNpz_PrintsAndWritesEveryOutputInItsType()
    {
        _folder.Write("g.onnx", TinyModel.IndexBesideItsRow());
        NpzFile.Write(_folder["in.npz"], ("index", new NpyBytes([2], "int64", [3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])));

        var result = CommandLine.Run("run", _folder["g.onnx"], "--input", _folder["in.npz"], "--out", _folder["out.npz"]).Succeeded();
        var written = NpzFile.ReadBytes(_folder["out.npz"]);

        StringAssert.Contains(result.Output, "same int64 [2]: 3, 1\n");
        StringAssert.Contains(result.Output, "y float32 [2, 1]: 3, 1; largest at 0, 0");
        CollectionAssert.AreEqual(new[] { "same", "y" }, written.Keys.ToArray());
        Assert.AreEqual("int64", written["same"].DType);
        CollectionAssert.AreEqual(NpzFile.ReadBytes(_folder["in.npz"])["index"].Bytes, written["same"].Bytes);
    }

    [TestMethod]
    public void Run_Int32AndBool_AreTakenAndTheFirstOutputIsWritten()
    {
        _folder.Write("g.onnx", TinyModel.MaskedLookup());
        NpyFile.Write(_folder["index.npy"], new NpyBytes([2], "int32", [3, 0, 0, 0, 2, 0, 0, 0]));
        NpyFile.Write(_folder["mask.npy"], new NpyBytes([2, 1], "bool", [1, 0]));

        CommandLine.Run(
            "run", _folder["g.onnx"], "--input", $"index={_folder["index.npy"]}", "--input", $"mask={_folder["mask.npy"]}", "--out", _folder["y.npy"]).Succeeded();

        CollectionAssert.AreEqual(new float[] { 3, -1 }, NpyFile.Read(_folder["y.npy"]).Values);
    }

    [TestMethod]
    [DataRow("FOLDER/s.npy", "could be any of them", 2, DisplayName = "no name")]
    [DataRow("source=FOLDER/s.npy", "target int64 [N, T], and target is not given", 2, DisplayName = "one left out")]
    [DataRow("mask=FOLDER/s.npy", "no input 'mask'", 2, DisplayName = "another name")]
    [DataRow("FOLDER/other.npz", "other.npz(labels) is for 'labels', and the graph takes source int64 [N, S]", 2, DisplayName = "another name in a .npz")]
    [DataRow("source=FOLDER/other.npz", "leave it out", 2, DisplayName = "a name before a .npz")]
    [DataRow("source=FOLDER/float.npy", "holds float32, and the graph takes source int64 [N, S]", 1, DisplayName = "another type")]
    [DataRow("source=FOLDER/cube.npy", "its shape is [1, 1, 1], and the graph takes source int64 [N, S]", 1, DisplayName = "too many axes")]
    [DataRow("source=FOLDER/absent.npy", "absent.npy", 1, DisplayName = "no such file")]
    public void Run_InputsThatAreNotTheGraphs_AreRefusedNamingBoth(string input, string why, int exitCode)
    {
        _folder.Write("g.onnx", TinyModel.Translator());
        Longs("s.npy", 1, 3);
        NpzFile.Write(_folder["other.npz"], ("labels", new NpyBytes([1], "uint8", [1])));
        NpyFile.Write(_folder["float.npy"], [1, 2], [1, 3]);
        NpyFile.Write(_folder["cube.npy"], new NpyBytes([1, 1, 1], "int64", new byte[8]));

        CommandLine.Run("run", _folder["g.onnx"], "--input", input.Replace("FOLDER", _folder.Path, StringComparison.Ordinal)).FailedSaying(why, exitCode);
    }

    [TestMethod]
    public void Run_OneGraphWithALimit_IsWrongUsage()
    {
        _folder.Write("g.onnx", TinyModel.MatMul(weight: 1));
        NpyFile.Write(_folder["x.npy"], [3], [1, 2, 3]);

        CommandLine.Run("run", _folder["g.onnx"], "--input", _folder["x.npy"], "--max-latency", "1ms").FailedSaying("--max-latency is for a family", exitCode: 2);
        CommandLine.Run("run", _folder["g.onnx"], "--input", _folder["x.npy"], "--input", _folder["x.npy"]).FailedSaying("'x' is given twice", exitCode: 2);
        StringAssert.Contains(CommandLine.Run("run", _folder["g.onnx"], "--input", _folder["x.npy"]).Succeeded().Output, "sum float32 [1, 2]: 6, 6");
    }

    string Longs(string file, params long[] values)
    {
        NpyFile.Write(_folder[file], new NpyBytes([values.Length], "int64", [.. values.SelectMany(BitConverter.GetBytes)]));
        return _folder[file];
    }
}
