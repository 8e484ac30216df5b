using MaestroDeploy.Exporter;
using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Exporter.Planning;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Tests.Exporter.Planning;

[TestClass]
public sealed class SpreadTests
{
    [TestMethod]
    [DataRow(0.5)]
    [DataRow(0.25)]
    [DataRow(0.1)]
    public void Plan_Spread_HasNoLessThanThePlanOfLeastSquaredErrors(double share)
    {
        using var folder = new TemporaryFolder();
        var (lod, data) = (SmallModels.Mlp, new LabelledSamples(SmallModels.Digits));
        lod.Save(folder["m.lod.onnx"]);
        var cost = lod.Cost();
        using var probe = new ErrorProbe(lod, cost, data, new SessionSettings { Threads = 1 }, folder.Path);
        var table = probe.Measure(new string('0', 64), cost, _ => { }, CancellationToken.None);

        var plan = new FamilyExporter(new ExportOptions { Search = PlanSearch.Spread, Budgets = [new Budget(share)] }, new SessionSettings { Threads = 1 })
            .Plan(folder["m.lod.onnx"], data).Plans.Single().Plan;

        // What the budget leaves over is spent on top.
        foreach (var (layer, rank) in cost.Layers.Zip(LeastSquares(cost, table, share)))
        {
            Assert.IsGreaterThanOrEqualTo(rank, plan[layer.Pair.Layer].Components ?? layer.Rank, layer.Pair.Layer);
        }
    }

    /// <summary>By brute force over three layers; a layer's largest rank stands for dense.</summary>
    static int[] LeastSquares(LodCost cost, ErrorTable table, double share)
    {
        var unit = CostUnit.Macs(cost);
        var options = cost.Layers.Zip(table.Layers, (layer, found) => found.Ranks.Zip(found.Errors)
            .Select(at => (Rank: at.First, Error: at.Second * at.Second, Cost: Math.Min(unit.Of(layer, LayerForm.Pair, at.First), unit.Of(layer, LayerForm.Dense, layer.Rank))))
            .Where(option => option.Rank == layer.Rank || option.Cost < unit.Of(layer, LayerForm.Dense, layer.Rank)).ToArray()).ToArray();
        return (from first in options[0]
                from second in options[1]
                from third in options[2]
                where unit.Fixed + first.Cost + second.Cost + third.Cost <= share * unit.Dense
                orderby first.Error + second.Error + third.Error, first.Cost + second.Cost + third.Cost
                select new[] { first.Rank, second.Rank, third.Rank }).First();
    }
}
