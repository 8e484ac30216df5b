using MaestroDeploy.Exporter;
using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Exporter.Planning;
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
}
