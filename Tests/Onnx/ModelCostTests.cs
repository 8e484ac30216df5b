using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Build;
using MaestroDeploy.Onnx.Cost;
using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Tests.Onnx;

[TestClass]
public sealed class ModelCostTests
{
    [TestMethod]
    [DataRow("lenet", 1, 28, 281_640L, 44_426L)]
    [DataRow("vgg19", 3, 32, 398_136_320L, 20_040_522L)]
    [DataRow("resnet18", 3, 32, 555_422_720L, 11_173_962L)]
    [DataRow("resnet50", 3, 224, 4_089_184_256L, 25_557_032L)]
    public void Of_ABuiltInModel_CountsWhatThePaperCounts(string name, int channels, int size, long macs, long parameters)
    {
        var cost = ModelCost.Of(BuiltInModels.Create(name, [channels, size, size], classes: size == 224 ? 1000 : 10, seed: 1));

        Assert.AreEqual(new ModelCost(parameters, macs), cost);
    }

    [TestMethod]
    [DataRow("resnet18", 12_653_447L, 11_173_962L, 21, 4_325)]
    [DataRow("vgg19", 22_437_511L, 20_040_522L, 17, 5_477)]
    public void Cost_OfFactorsAtFullRank_IsDenseByTheCheaperOfTheTwo(string name, long unmerged, long dense, int layers, int ranks)
    {
        var model = BuiltInModels.Create(name, [3, 32, 32], classes: 10, seed: 1);
        var pairs = WeightLayers.Find(model, out _);

        // Each at min(out, in): r·(in + out) numbers instead of in·out.
        int[] full = [.. pairs.Select(layer => Math.Min(layer.Out, layer.Columns))];
        var extra = pairs.Zip(full, (layer, rank) => (long)rank * (layer.Out + layer.Columns) - (long)layer.Out * layer.Columns).Sum();

        Assert.AreEqual((layers, ranks), (pairs.Count, full.Sum()));
        Assert.AreEqual(unmerged, dense + extra);
        Assert.AreEqual(dense, ModelCost.Of(model).Params);
    }

    [TestMethod]
    public void Cost_OfFactorsAtFullRank_CountsPairsAndTheDenseModel()
    {
        var lod = SvdFactoring.Factor(BuiltInModels.Create("lenet", [1, 28, 28], classes: 10, seed: 1), new LodProvenance());

        var cost = lod.Cost();

        Assert.AreEqual(66_274, ModelCost.Of(lod.Model).Params); // unmerged factors at full rank
        Assert.AreEqual(new ModelCost(44_426, 281_640), cost.Dense);
        CollectionAssert.AreEqual(new long[] { 24 * 24, 8 * 8, 1, 1, 1 }, cost.Layers.Select(layer => layer.Positions).ToArray());
    }

    [TestMethod]
    public void Of_AConvolutionOverAnImageOfOpenSize_CountsAtTheSizeGivenOrAtAPhotographs()
    {
        var g = new GraphBuilder("open", seed: 1);
        var model = g.Build(g.Conv(g.Input("image", 3, 8, 8), "conv", channels: 4, kernel: 3, pad: 1));
        foreach (var axis in model.Graph.Input[0].Type.TensorType.Shape.Dim.Skip(2))
        {
            axis.DimParam = "side";
        }

        Assert.AreEqual(4L * 27 * 224 * 224, ModelCost.Of(model).Macs);
        Assert.AreEqual(4L * 27 * 10 * 10, ModelCost.Of(model, openAxis: 10).Macs);
    }

    [TestMethod]
    public void Of_ALayerBehindAnUnknownOperator_CountsItsWeightOnceAndNamesIt()
    {
        var g = new GraphBuilder("unknown", seed: 1);
        var model = g.Build(g.Linear(g.Relu(g.Input("x", 8)), "fc", 4));
        model.Graph.Node[0].OpType = "Mystery";

        var cost = ModelCost.Of(model, openAxis: null, out var assumed);

        Assert.AreEqual(new ModelCost(36, 32), cost);
        CollectionAssert.AreEqual(new[] { "fc" }, assumed.ToArray());
    }

    [TestMethod]
    [DataRow(new long[0], 7, 4, DisplayName = "by its borders")]
    [DataRow(new long[] { 5, 6 }, 5, 6, DisplayName = "to a height and a width")]
    public void Of_ACropThatOnnxTookBack_CountsWhatOnnxRuntimeMakesOfIt(long[] scale, int height, int width)
    {
        var g = new GraphBuilder("crop", seed: 1);
        var image = g.Input("image", 3, 10, 10);
        var cropped = new Value(g.Relu(image).Name, [-1, 3, height, width]);
        var model = g.Build(g.Conv(cropped, "conv", channels: 4, kernel: 1, bias: false));
        var crop = model.Graph.Node[0].With("border", 2, 1, 4, 2);
        crop.OpType = "Crop";
        model.Proto.OpsetImport[0].Version = 7; // later ones have no Crop
        if (scale.Length > 0)
        {
            crop.With("scale", scale);
        }

        Assert.AreEqual(4L * 3 * height * width, ModelCost.Of(model).Macs);
        Assert.HasCount(4 * height * width, OrtRunner.Run(model, Numbers.Uniform(300), 1, 3, 10, 10));
    }

    [TestMethod]
    public void Of_AModelThatFixesItsBatch_CountsOneSample()
    {
        var g = new GraphBuilder("batch", seed: 1);
        var model = g.Build(g.Linear(g.Reshape(g.Input("x", 2, 4), -1, 8), "fc", 4));
        model.Graph.Input[0].Type.TensorType.Shape.Dim[0] = new() { DimValue = 16 };
        model.ReplaceInitializer(TensorValues.Create("reshape1.shape", [2], [16L, 8]));

        Assert.AreEqual(32, ModelCost.Of(model).Macs);
    }

    [TestMethod]
    public void Of_EveryForeignModel_KnowsTheShapeAtEveryWeight()
    {
        // Its input is a sound of open length: a spectrogram of one number has no columns.
        const string OfSound = "melspectrogram.onnx";
        foreach (var file in ForeignModels.Files())
        {
            ModelCost.Of(OnnxModel.Load(file), Path.GetFileName(file) == OfSound ? 1760 : null, out var assumed);

            Assert.IsEmpty(assumed, $"{file}: {string.Join(", ", assumed)}");
        }
    }
}
