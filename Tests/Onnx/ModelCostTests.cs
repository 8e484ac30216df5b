using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Models;
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
}
