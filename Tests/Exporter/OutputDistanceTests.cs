using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Data;
using MaestroDeploy.Exporter;
using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Tests.Exporter;

[TestClass]
public sealed class OutputDistanceTests
{
    const double Rounding = 1e-6;

    [TestMethod]
    public void DistanceFrom_ItsOwnOutputs_IsNone()
    {
        var outputs = Outputs([1, 2, 3]);

        Assert.AreEqual(new OutputDistance(0, 1, "some", 1), outputs.DistanceFrom(outputs));
    }

    [TestMethod]
    public void DistanceFrom_TwoOutputsOfDifferentSize_IsTheMeanOfEachByItsOwnNorm()
    {
        var original = Outputs([3, 4], [3000, 4000]);
        var other = Outputs([3, 4.5f], [3300, 4400]);

        var distance = other.DistanceFrom(original)!;

        Assert.AreEqual((0.1 + 0.1) / 2, distance.RelativeError, Rounding);
        Assert.AreEqual((((3 * 3) + (4 * 4.5)) / (5 * Math.Sqrt(9 + 20.25)) + 1) / 2, distance.Cosine, Rounding);
        Assert.AreEqual((20 * Math.Log10(4 / Math.Sqrt(0.25 / 2)) + 20 * Math.Log10(4000 / Math.Sqrt((300 * 300 + 400 * 400) / 2.0))) / 2, distance.PsnrDb!.Value, Rounding);
    }

    [TestMethod]
    public void DistanceFrom_WhatCannotBeCompared_IsNull()
    {
        Assert.IsNull(Outputs([1, 2]).DistanceFrom(Outputs([1, 2, 3])));
        Assert.IsNull(Outputs([1, 2]).DistanceFrom(Outputs([0, 0])));
        Assert.IsNull(Outputs([1, float.NaN]).DistanceFrom(Outputs([1, 2])));
    }

    [TestMethod]
    public void Export_InputsWithoutLabels_ComparesEveryVariantOnThem()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);
        var inputs = new UnlabelledInputs("mine", new Dictionary<string, NpyArray> { ["image"] = new([40, 1, 8, 8], Numbers.Uniform(40 * 64), "float32") });

        var manifest = new FamilyExporter().Export(folder["m.lod.onnx"], folder["family"], inputs);

        Assert.AreEqual(new OutputDistance(0, 1, "mine", 40), manifest.Dense.Distance);
        Assert.IsTrue(manifest.Variants.All(variant => variant.Accuracy is null && variant.Distance is { Inputs: "mine", Samples: 40 }));
        Assert.IsGreaterThan(manifest.Variants[0].Distance!.RelativeError, manifest.Variants[^1].Distance!.RelativeError);
        Assert.AreEqual(manifest.Variants[^1].Distance, ProfilesJson.Read<FamilyManifest>(folder["family/family.json"]).Variants[^1].Distance);
    }

    [TestMethod]
    public void Export_WithoutData_SaysThatTheInputsWereRandom()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);

        var manifest = new FamilyExporter().Export(folder["m.lod.onnx"], folder["family"]);

        Assert.IsTrue(manifest.Variants.All(variant => variant.Distance is { Inputs: OutputDistance.Random }));
    }

    [TestMethod]
    public void Check_InputsThatTheGraphDoesNotName_SaysWhatBothHave()
    {
        using var folder = new TemporaryFolder();
        BuiltInModels.Create("mlp", [1, 8, 8], 10, seed: 1).Save(folder["m.onnx"]);
        using var session = new ModelSession(folder["m.onnx"]);
        var inputs = new UnlabelledInputs("mine", new Dictionary<string, NpyArray> { ["picture"] = Samples(3) });

        var error = Assert.ThrowsExactly<ExportException>(() => inputs.Check(session, 3).ToList());

        Assert.Contains("picture", error.Message);
        Assert.Contains(session.Inputs[0].Name, error.Message);
    }

    [TestMethod]
    public void UnlabelledInputs_ArraysOfDifferentLength_AreRefused()
    {
        var error = Assert.ThrowsExactly<ArgumentException>(() => new UnlabelledInputs("mine", new Dictionary<string, NpyArray> { ["a"] = Samples(3), ["b"] = Samples(4) }));

        Assert.Contains("3 in a, 4 in b", error.Message);
    }

    static NpyArray Samples(int count) => new([count, 1, 8, 8], new float[count * 64], "float32");

    static RecordedOutputs Outputs(params float[][] outputs) => new(outputs, "some", 1);
}
