using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Exporter.Planning;
using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Tests.Exporter.Planning;

[TestClass]
public sealed class UniformPlannerTests
{
    static readonly LodCost LeNet = SvdFactoring.Factor(BuiltInModels.Create("lenet", [1, 28, 28], 10, seed: 1), new LodProvenance()).Cost();

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

    static PlannedVariant Planned(double share, BudgetUnit unit = BudgetUnit.Macs) =>
        PlannedVariant.Of(LeNet, share, new UniformPlanner(LeNet, unit == BudgetUnit.Macs ? CostUnit.Macs(LeNet) : CostUnit.Params(LeNet)).Plan(share));
}
