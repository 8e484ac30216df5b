using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Data;
using MaestroDeploy.Exporter;
using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Build;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Tests.Exporter;

[TestClass]
public sealed class BatchNormRecalibrationTests
{
    // Means over a few thousand values in float32.
    const double Rounding = 1e-5;

    [TestMethod]
    public void Export_ANormOnTheInput_GivesItTheMeanAndVarianceOfTheData()
    {
        using var folder = new TemporaryFolder();
        var g = new GraphBuilder("norm", seed: 1);
        var x = g.BatchNorm(g.Input("x", 2, 3, 3), "norm");
        var lod = SvdFactoring.Factor(g.Build(g.Linear(g.Flatten(x), "fc", 4)), new LodProvenance());
        lod.Save(folder["m.lod.onnx"]);
        var values = Numbers.Uniform(200 * 18); // fits one batch: the average over batches is then exact
        var samples = SampleSet.FromFloats("uniform", [2, 3, 3], 4, values, [.. Enumerable.Range(0, 200).Select(i => i % 4)]);

        var options = new ExportOptions { Budgets = [new Budget(1)] };
        new FamilyExporter(options).Export(folder["m.lod.onnx"], folder["family"], new LabelledSamples(new DataSet("uniform", samples, samples, "none")));

        var model = OnnxModel.Load(folder["family/b100.onnx"]);
        for (var channel = 0; channel < 2; channel++)
        {
            var here = values.Where((_, i) => i / 9 % 2 == channel).Select(value => (double)value).ToArray();
            var mean = here.Average();
            Assert.AreEqual(mean, model.Floats(model.Initializer("norm.mean")!)[channel], Rounding);
            Assert.AreEqual(here.Average(value => (value - mean) * (value - mean)), model.Floats(model.Initializer("norm.variance")!)[channel], Rounding);
        }
    }

    [TestMethod]
    public void Export_ACutConvolutionalNet_IsMoreAccurateWithItsOwnStatistics()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Convolutions.Save(folder["m.lod.onnx"]);
        var options = new ExportOptions { Budgets = [new Budget(0.15)] };
        var untouched = SmallModels.Digits with { Train = SmallModels.Digits.Train.Take(1) };

        var few = new FamilyExporter(options with { CalibrationSamples = 1 }).Export(folder["m.lod.onnx"], folder["few"], new LabelledSamples(untouched));
        var many = new FamilyExporter(options).Export(folder["m.lod.onnx"], folder["many"], new LabelledSamples(SmallModels.Digits));

        Assert.IsGreaterThan(few.Variants[0].Accuracy!.Value, many.Variants[0].Accuracy!.Value);
        Assert.IsGreaterThan(0.5, many.Variants[0].Accuracy!.Value); // chance is 0.1
    }
}
