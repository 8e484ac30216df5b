using Google.Protobuf;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Build;
using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Tests.Onnx;

[TestClass]
public sealed class OnnxModelTests
{
    [TestMethod]
    public void Save_MoreThanOneFileMayHold_IsRefusedAndLeavesNothing()
    {
        using var folder = new TemporaryFolder();
        var g = new GraphBuilder("large");
        var model = g.Build(g.Relu(g.Input("x", 2)));
        model.Graph.Initializer.Add(new TensorProto { Name = "table", DataType = (int)TensorProto.Types.DataType.Float, Dims = { 1 << 16, 1 << 14 } }); // 4 GiB, were they there

        Assert.Contains("more than the 2 GB", Assert.ThrowsExactly<OnnxFormatException>(() => model.Save(folder["large.onnx"])).Message);

        Assert.IsEmpty(Directory.GetFileSystemEntries(folder.Path));
    }

    [TestMethod]
    public void Save_AModelWithFieldsFromTheFuture_WritesTheSameBytes()
    {
        using var folder = new TemporaryFolder();
        var graph = Small().Proto.ToByteArray();
        // Field 99 of ModelProto, a string: no such field exists in the specification.
        byte[] original = [.. graph, 0x9a, 0x06, 3, (byte)'n', (byte)'e', (byte)'w'];
        File.WriteAllBytes(folder["a.onnx"], original);

        OnnxModel.Load(folder["a.onnx"]).Save(folder["b.onnx"]);

        CollectionAssert.AreEqual(original, File.ReadAllBytes(folder["b.onnx"]));
    }

    [TestMethod]
    public void Save_EveryForeignModel_ChangesNothing()
    {
        using var folder = new TemporaryFolder();
        foreach (var file in ForeignModels.Files())
        {
            var model = OnnxModel.Load(file);

            model.Save(folder["copy.onnx"]);

            Assert.IsTrue(model.Proto.Equals(OnnxModel.Load(folder["copy.onnx"]).Proto), file);
            Assert.AreEqual(new FileInfo(file).Length, new FileInfo(folder["copy.onnx"]).Length, file);
        }
    }

    [TestMethod]
    public void Load_AFileCutShort_NamesIt()
    {
        using var folder = new TemporaryFolder();
        var bytes = Small().Proto.ToByteArray();
        File.WriteAllBytes(folder["cut.onnx"], bytes[..^100]);

        var error = Assert.ThrowsExactly<OnnxFormatException>(() => OnnxModel.Load(folder["cut.onnx"]));

        StringAssert.Contains(error.Message, "cut.onnx");
    }

    [TestMethod]
    public void Load_NoSuchFile_SaysSo() =>
        StringAssert.Contains(Assert.ThrowsExactly<OnnxFormatException>(() => OnnxModel.Load("/nowhere/model.onnx")).Message, "no such file");

    [TestMethod]
    [DataRow("", DisplayName = "empty file")]
    [DataRow("not protobuf at all, only a line of text", DisplayName = "text")]
    public void Load_NotAModel_IsRefused(string content)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["x.onnx"], content);

        Assert.ThrowsExactly<OnnxFormatException>(() => OnnxModel.Load(folder["x.onnx"]));
    }

    [TestMethod]
    public void Load_DimsBeyondTheData_IsRefusedBeforeAnythingIsAllocated()
    {
        var model = Small();
        model.Graph.Initializer[0].Dims[0] = 1L << 30;

        StringAssert.Contains(Refusal(model), "needs");
    }

    [TestMethod]
    public void Load_AnAxisLongerThanAnyArray_IsRefusedByName()
    {
        var model = Small();
        model.Graph.Input[0].Type.TensorType.Shape.Dim[1] = new() { DimValue = 3_000_000_000 };

        StringAssert.Contains(Refusal(model), "has an axis of 3000000000");
    }

    [TestMethod]
    public void Load_ANodeThatReadsAValueNobodyMakes_NamesBoth()
    {
        var model = Small();
        model.Graph.Node[0].Input[0] = "ghost";

        StringAssert.Contains(Refusal(model), "reads 'ghost'");
    }

    [TestMethod]
    public void Load_AValueMadeTwice_IsRefused()
    {
        var model = Small();
        model.Graph.Node.Add(model.Graph.Node[0].Clone());

        StringAssert.Contains(Refusal(model), "made already");
    }

    [TestMethod]
    public void Load_AnInputListedTwice_IsRefused()
    {
        var model = Small();
        model.Graph.Input.Add(model.Graph.Input[0].Clone());

        StringAssert.Contains(Refusal(model), "made already");
    }

    [TestMethod]
    public void Save_OverAnOlderFile_LeavesOnlyTheNewOne()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["m.onnx"], "old");

        Small().Save(folder["m.onnx"]);

        Assert.HasCount(1, Directory.GetFiles(folder.Path));
        OnnxModel.Load(folder["m.onnx"]);
    }

    static string Refusal(OnnxModel model)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["bad.onnx"], model.Proto.ToByteArray());
        return Assert.ThrowsExactly<OnnxFormatException>(() => OnnxModel.Load(folder["bad.onnx"])).Message;
    }

    static OnnxModel Small()
    {
        var g = new GraphBuilder("small", seed: 3);
        return g.Build(g.Relu(g.Linear(g.Input("x", 8), "fc", 4)));
    }
}
