using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Exporter.Planning;
using MaestroDeploy.Onnx.Cost;
using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Tests.Exporter.Planning;

[TestClass]
public sealed class UniformPlannerTests
{
    static readonly LodCost LeNet = SvdFactoring.Factor(BuiltInModels.Create("lenet", [1, 28, 28], 10, seed: 1), new LodProvenance()).Cost();

    static readonly LodCost Vgg = SvdFactoring.Factor(BuiltInModels.Create("vgg11", [3, 32, 32], 10, seed: 1, ModelSize.Default with { Width = 16 }), new LodProvenance()).Cost();

    [TestMethod]
    public void Dense_OfALayerAppliedMoreOftenThanCanBeCounted_CostsTheMostThereIs()
    {
        var layer = new PairCost(new FactorPair("layer", LayerKind.Linear, "u", "v", [4, 4]), Rank: 4, Positions: long.MaxValue / 2);

        Assert.AreEqual(new ModelCost(16, long.MaxValue), PlannedVariant.Dense(new LodCost(0, 1, [layer], IsCounted: true)).Cost);
    }

    [TestMethod]
    [DataRow(BudgetUnit.Macs)]
    [DataRow(BudgetUnit.Params)]
    public void Plan_ABudgetThatCanBeMet_SpendsMostOfItAndNoMore(BudgetUnit unit)
    {
        foreach (var share in new[] { 0.9, 0.7, 0.5, 0.35, 0.25 })
        {
            var cost = Planned(share, unit).Cost;

            var spent = unit == BudgetUnit.Macs ? (double)cost.Macs / LeNet.Dense.Macs : (double)cost.Params / LeNet.Dense.Params;
            Assert.IsLessThanOrEqualTo(share, spent);
            Assert.IsGreaterThan(0.7 * share, spent);
        }
    }

    [TestMethod]
    public void Plan_TheWholeBudgetAtFullRank_LeavesEveryLayerDense()
    {
        var planned = Planned(1);

        Assert.IsTrue(planned.Plan.Layers.Values.All(rank => rank.IsDense));
        Assert.AreEqual(LeNet.Dense, planned.Cost);
    }

    [TestMethod]
    public void Plan_AnyBudget_GivesNoPairThatCostsAsMuchAsItsDenseWeight()
    {
        foreach (var planned in Enumerable.Range(1, 40).Select(i => Planned(i / 40.0)))
        {
            foreach (var layer in LeNet.Layers)
            {
                Assert.IsTrue(planned.Plan[layer.Pair.Layer].Components is not { } rank || (long)rank * (layer.Pair.In + layer.Pair.Out) < layer.DenseParams);
            }
        }
    }

    [TestMethod]
    public void Plan_ABudgetBelowRankOneEverywhere_GivesThatAndItsRealCost()
    {
        var planned = Planned(0.001);

        Assert.IsTrue(planned.Plan.Layers.Values.All(rank => rank.Components == 1));
        Assert.AreEqual(LeNet.FixedMacs + LeNet.Layers.Sum(layer => layer.MacsAt(1)), planned.Cost.Macs);
    }

    [TestMethod]
    public void Plan_ANarrowLayerThatCostsLittle_KeepsEightComponents()
    {
        var planned = Planned(0.25);

        Assert.AreEqual(8, planned.Plan["logits"].Components); // a quarter of its 10 would be 2
    }

    [TestMethod]
    public void Plan_ByRanks_GivesEachLayerThatShareRoundedUp()
    {
        var planned = PlannedVariant.Of(LeNet, 0.25, new UniformPlanner(LeNet, unit: null).Plan(0.25));

        Assert.AreEqual("2, 4, 30, 21, 3", string.Join(", ", planned.Plan.Layers.Values));
    }

    [TestMethod]
    public void Plan_ConvolutionsByMacs_FillsBlocksAndLeavesDenseWhatNoRankMakesFaster()
    {
        foreach (var share in new[] { 0.75, 0.6, 0.5 })
        {
            var planned = PlannedVariant.Of(Vgg, share, new UniformPlanner(Vgg, CostUnit.Macs(Vgg)).Plan(share));

            var convolutions = Vgg.Layers.Where(layer => layer.Pair.Kind == LayerKind.Conv).ToArray();
            Assert.IsTrue(planned.Plan[convolutions[0].Pair.Layer].IsDense, "16 channels of 27 products each are one block however they are cut");
            Assert.IsTrue(convolutions.All(layer => planned.Plan[layer.Pair.Layer].Components is not { } rank || ConvolutionBlocks.Fills(layer.Pair.Out, layer.Pair.In, rank)), $"{share}: {planned.Plan}");
            Assert.IsLessThanOrEqualTo(share, (double)planned.Cost.Macs / Vgg.Dense.Macs);
            Assert.IsGreaterThan(0.9 * share, (double)planned.Cost.Macs / Vgg.Dense.Macs);
        }
    }

    [TestMethod]
    public void Plan_LessThanABlockEverywhere_IsKeptByRanksBelowABlock()
    {
        var planned = PlannedVariant.Of(Vgg, 0.1, new UniformPlanner(Vgg, CostUnit.Macs(Vgg)).Plan(0.1));

        Assert.IsLessThanOrEqualTo(0.1, (double)planned.Cost.Macs / Vgg.Dense.Macs);
        Assert.IsTrue(Vgg.Layers.All(layer => planned.Plan[layer.Pair.Layer].Components is not { } rank || !ConvolutionBlocks.Idles(layer, rank)));
    }

    [TestMethod]
    [DataRow(16, 27, 16, false, DisplayName = "no pair of 16 channels is faster than dense")]
    [DataRow(32, 144, 16, true)]
    [DataRow(32, 144, 12, false, DisplayName = "a block of which a quarter idles")]
    [DataRow(64, 576, 48, true)]
    [DataRow(64, 288, 48, false, DisplayName = "what saves an eighth of the products saves no time")]
    [DataRow(120, 1152, 96, true, DisplayName = "120 channels take eight blocks")]
    public void Fills_AConvolution_OnlyWhereEveryBlockIsFullAndTheProductsFewer(int outputs, int inputs, int rank, bool fills) =>
        Assert.AreEqual(fills, ConvolutionBlocks.Fills(outputs, inputs, rank));

    static PlannedVariant Planned(double share, BudgetUnit unit = BudgetUnit.Macs) =>
        PlannedVariant.Of(LeNet, share, new UniformPlanner(LeNet, unit == BudgetUnit.Macs ? CostUnit.Macs(LeNet) : CostUnit.Params(LeNet)).Plan(share));
}
