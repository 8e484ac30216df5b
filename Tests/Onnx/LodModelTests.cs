using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Tests.Onnx;

[TestClass]
public sealed class LodModelTests
{
    [TestMethod]
    public void Load_WhatSaveWrote_HasItsPairsAndProvenance()
    {
        using var folder = new TemporaryFolder();
        var lod = Small();

        lod.Save(folder["m.lod.onnx"]);
        var read = LodModel.Load(folder["m.lod.onnx"]);

        Assert.AreEqual(lod.Provenance, read.Provenance);
        CollectionAssert.AreEqual(lod.Pairs.Select(pair => pair.Layer).ToArray(), read.Pairs.Select(pair => pair.Layer).ToArray());
        CollectionAssert.AreEqual(new[] { 16, 12, 10 }, read.Pairs.Select(pair => pair.Rank(read.Model)).ToArray());
    }

    [TestMethod]
    public void Load_AnyBitOfAWeightFlipped_IsRefused()
    {
        using var folder = new TemporaryFolder();
        Small().Save(folder["m.lod.onnx"]);
        var bytes = File.ReadAllBytes(folder["m.lod.onnx"]);
        bytes[bytes.Length / 2] ^= 0x10; // the middle of the file is the middle of a weight
        File.WriteAllBytes(folder["m.lod.onnx"], bytes);

        var error = Assert.ThrowsExactly<OnnxFormatException>(() => LodModel.Load(folder["m.lod.onnx"]));

        StringAssert.Contains(error.Message, "digest");
    }

    [TestMethod]
    public void Load_APlainModel_SaysThatItIsNone()
    {
        using var folder = new TemporaryFolder();
        BuiltInModels.Create("mlp", [1, 4, 4], 10, 1, new ModelSize([16])).Save(folder["plain.onnx"]);

        StringAssert.Contains(Assert.ThrowsExactly<OnnxFormatException>(() => LodModel.Load(folder["plain.onnx"])).Message, "not a model.lod.onnx");
    }

    [TestMethod]
    public void Load_ANewerSchema_NamesBothNumbers()
    {
        using var folder = new TemporaryFolder();
        var lod = Small();
        lod.Save(folder["m.onnx"]);
        lod.Model.SetMetadata("maestro.schema", "2");
        lod.Model.Save(folder["m.onnx"]);

        var message = Assert.ThrowsExactly<OnnxFormatException>(() => LodModel.Load(folder["m.onnx"])).Message;

        StringAssert.Contains(message, "schema is 2");
        StringAssert.Contains(message, "reads 1");
    }

    static LodModel Small() => SvdFactoring.Factor(
        BuiltInModels.Create("mlp", [1, 4, 4], classes: 10, seed: 1, new ModelSize([20, 12])), new LodProvenance(Model: "mlp", Seed: 1));
}
