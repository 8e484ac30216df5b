using System.Runtime.InteropServices;
using Google.Protobuf;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Build;
using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Tests.Onnx;

[TestClass]
public sealed class ExternalDataTests
{
    [TestMethod]
    [DataRow("w.bin")]
    [DataRow("./w.bin")]
    public void Load_AWeightInADataFile_ReadsIt(string location)
    {
        using var folder = new TemporaryFolder();
        var expected = Externalise(folder, new ExternalData(location, 16, 128));

        var model = OnnxModel.Load(folder["m.onnx"]);

        CollectionAssert.AreEqual(expected, model.Floats(model.Initializer("fc.weight")!));
    }

    [TestMethod]
    public void WriteTo_ATensorThatHeldItsNumbersInATypedField_LeavesNoneInside()
    {
        var half = new TensorProto { Name = "half", DataType = (int)TensorProto.Types.DataType.Float16, Dims = { 2 }, Int32Data = { 1, 2 } };

        new ExternalData("w.bin", 0, 4).WriteTo(half);

        Assert.IsEmpty(half.Int32Data);
        Assert.IsTrue(ExternalData.IsExternal(half));
    }

    [TestMethod]
    [DataRow("w.bin")]
    [DataRow("./w.bin")]
    public void Save_IntoAnotherFolder_CarriesTheDataAlong(string location)
    {
        using var folder = new TemporaryFolder();
        using var other = new TemporaryFolder();
        var expected = Externalise(folder, new ExternalData(location, 16, 128));

        OnnxModel.Load(folder["m.onnx"]).Save(other["m.onnx"]);

        var model = OnnxModel.Load(other["m.onnx"]);
        CollectionAssert.AreEqual(expected, model.Floats(model.Initializer("fc.weight")!));
    }

    [TestMethod]
    public void Save_WhereADataFileOfThatNameIsAlready_LeavesItAlone()
    {
        using var folder = new TemporaryFolder();
        using var other = new TemporaryFolder();
        Externalise(folder, new ExternalData("w.bin", 16, 128));
        File.WriteAllText(other["w.bin"], "somebody else's");

        Assert.ThrowsExactly<IOException>(() => OnnxModel.Load(folder["m.onnx"]).Save(other["m.onnx"]));

        Assert.AreEqual("somebody else's", File.ReadAllText(other["w.bin"]));
    }

    [TestMethod]
    [DataRow("/etc/hostname", DisplayName = "absolute")]
    [DataRow("../w.bin", DisplayName = "parent")]
    [DataRow("a/../../w.bin", DisplayName = "parent, hidden")]
    [DataRow("..\\w.bin", DisplayName = "parent, the Windows way")]
    [DataRow("C:\\w.bin", DisplayName = "a drive")]
    [DataRow("", DisplayName = "empty")]
    public void Load_ALocationThatLeavesTheFolder_IsRefused(string location)
    {
        using var folder = new TemporaryFolder();
        Externalise(folder, new ExternalData(location, 0, 128));

        StringAssert.Contains(Refusal(folder), "not a plain path inside the model's folder");
    }

    [TestMethod]
    [DataRow(false, DisplayName = "the file is a link")]
    [DataRow(true, DisplayName = "a folder on the way is a link")]
    public void Load_ALocationThatLeavesThroughALink_IsRefused(bool folderIsLink)
    {
        using var folder = new TemporaryFolder();
        using var outside = new TemporaryFolder();
        File.WriteAllBytes(outside["w.bin"], new byte[128]);
        var location = folderIsLink ? "in/w.bin" : "linked.bin";
        Externalise(folder, new ExternalData(location, 0, 128));
        if (folderIsLink)
        {
            Directory.CreateSymbolicLink(folder["in"], outside.Path);
        }
        else
        {
            File.CreateSymbolicLink(folder["linked.bin"], outside["w.bin"]);
        }

        StringAssert.Contains(Refusal(folder), "not a plain path inside the model's folder");
    }

    [TestMethod]
    [DataRow("absent.bin", 0L, 128L, "missing", DisplayName = "no such file")]
    [DataRow("w.bin", 17L, 128L, "has 144 bytes", DisplayName = "one byte past the end")]
    [DataRow("w.bin", long.MaxValue, 128L, "has 144 bytes", DisplayName = "an offset that overflows")]
    [DataRow("w.bin", 0L, 124L, "needs 128 bytes", DisplayName = "a length that is not the shape's")]
    [DataRow("w.bin", -1L, 128L, "not a count of bytes", DisplayName = "a negative offset")]
    public void Load_APlaceOutsideTheFile_IsRefused(string location, long offset, long length, string why)
    {
        using var folder = new TemporaryFolder();
        Externalise(folder, new ExternalData(location, offset, length));

        StringAssert.Contains(Refusal(folder), why);
    }

    static string Refusal(TemporaryFolder folder) =>
        Assert.ThrowsExactly<OnnxFormatException>(() => OnnxModel.Load(folder["m.onnx"])).Message;

    /// <summary>Writes m.onnx with its weight [4, 8] at a place, and w.bin with 16 bytes and then the weight.</summary>
    static float[] Externalise(TemporaryFolder folder, ExternalData place)
    {
        var g = new GraphBuilder("small", seed: 3);
        var model = g.Build(g.Linear(g.Input("x", 8), "fc", 4));
        var weight = model.Initializer("fc.weight")!;
        var values = model.Floats(weight);
        File.WriteAllBytes(folder["w.bin"], [.. new byte[16], .. MemoryMarshal.AsBytes<float>(values)]);
        place.WriteTo(weight);
        File.WriteAllBytes(folder["m.onnx"], model.Proto.ToByteArray());
        return values;
    }
}
