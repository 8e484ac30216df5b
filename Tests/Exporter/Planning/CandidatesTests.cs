using MaestroDeploy.Exporter;
using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Exporter.Planning;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Tests.Exporter.Planning;

[TestClass]
public sealed class CandidatesTests
{
    [TestMethod]
    public void Candidates_OfAFrontier_AreAllPlansThatWereFoundWithinTheBudgets()
    {
        using var folder = new TemporaryFolder();
        var (lod, data, settings) = (SmallModels.Mlp, new LabelledSamples(SmallModels.Digits), new SessionSettings { Threads = 1 });
        lod.Save(folder["m.lod.onnx"]);
        var options = new ExportOptions { Search = PlanSearch.Frontier, Budgets = [new Budget(0.5), new Budget(0.2)] };

        var candidates = new FamilyExporter(options, settings).Candidates(folder["m.lod.onnx"], data).Plans;
        var chosen = new FamilyExporter(options, settings).Export(folder["m.lod.onnx"], folder["family"], data).Variants;

        var cost = lod.Cost();
        Assert.IsGreaterThan(2, candidates.Count, "one plan for each budget leaves nothing to choose");
        Assert.HasCount(candidates.Count, candidates.Select(candidate => candidate.Plan).ToHashSet());
        Assert.IsTrue(candidates.All(candidate => Macs(candidate) <= candidate.Budget * cost.Dense.Macs));
        Assert.IsTrue(chosen.All(variant => candidates.Any(candidate => candidate.Plan.Equals(variant.Plan))));

        long Macs(BudgetedPlan candidate) => cost.At([.. cost.Layers.Select(layer => candidate.Plan[layer.Pair.Layer].Components ?? int.MaxValue)]).Macs;
    }

    [TestMethod]
    public void Candidates_OfAFrontier_HoldThePlanHalfwayToTheUniformOne()
    {
        const double Budget = 0.3;
        using var folder = new TemporaryFolder();
        var (lod, data) = (SmallModels.Mlp, new LabelledSamples(SmallModels.Digits));
        lod.Save(folder["m.lod.onnx"]);
        var options = new ExportOptions { Search = PlanSearch.Frontier, Budgets = [new Budget(Budget)] };

        var plans = new FamilyExporter(options, new SessionSettings { Threads = 1 }).Candidates(folder["m.lod.onnx"], data).Plans.Select(candidate => candidate.Plan).ToList();

        var cost = lod.Cost();
        var (least, uniform) = (plans[0], new UniformPlanner(cost, CostUnit.Macs(cost)).Plan(Budget).Ranks);
        CollectionAssert.Contains(plans, uniform);
        Assert.IsTrue(plans.Any(plan => !plan.Equals(least) && !plan.Equals(uniform) && cost.Layers.All(layer => IsHalfway(layer, plan))), string.Join("; ", plans.Select(plan => string.Join(" ", plan.Layers.Values))));

        // What the budget has left over is added.
        bool IsHalfway(PairCost layer, RankPlan plan) => Rank(layer, plan) >= Math.Round(Math.Sqrt(Rank(layer, least) * Rank(layer, uniform)));

        double Rank(PairCost layer, RankPlan plan) => plan[layer.Pair.Layer].Components ?? layer.Rank;
    }
}
