using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Exporter;
using MaestroDeploy.Exporter.Planning;
using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Tests.Exporter.Planning;

[TestClass]
public sealed class AccuracySearchTests
{
    // Bisection ends where costs lie nearer than a hundredth.
    const double Nearest = 1.01;

    static readonly LodCost LeNet = SvdFactoring.Factor(BuiltInModels.Create("lenet", [1, 28, 28], 10, seed: 1), new LodProvenance()).Cost();
    static readonly CostUnit Macs = CostUnit.Macs(LeNet);
    static readonly UniformPlanner Planner = new(LeNet, Macs);

    [TestMethod]
    public void Reaching_AccuraciesThatFallWithCost_FindsTheCheapestThatReachesInFewGraphs()
    {
        foreach (var needed in Enumerable.Range(1, 99).Select(i => i / 100.0))
        {
            var search = new Search(0.5, share => share >= needed ? 0.9 : 0.1);

            var planned = search.Reaching(1, 0.5, 0.25, 0.125, 0.0625);

            var cheapest = planned.Single(plan => plan.AccuracyFloor is not null);
            var below = Planned(ShareOf(cheapest) / Nearest); // what the next cheaper budget buys
            Assert.AreEqual(planned.Min(ShareOf), ShareOf(cheapest), $"{needed}");
            Assert.IsGreaterThanOrEqualTo(needed, ShareOf(cheapest));
            Assert.IsTrue(ShareOf(below) < needed || below.Plan.Equals(cheapest.Plan), $"{needed}: {ShareOf(below)} would do");
            CollectionAssert.IsSubsetOf(new[] { 1, 0.5, 0.25, 0.125, 0.0625 }.Where(share => ShareOf(Planned(share)) >= needed && ShareOf(Planned(share)) > ShareOf(cheapest)).ToArray(), planned.Select(plan => plan.Budget.Share).ToArray());
            Assert.IsLessThanOrEqualTo(5 + 9, search.Graphs, $"{needed}"); // the five asked for, and the logarithm of what may lie between
        }
    }

    [TestMethod]
    public void Reaching_AccuraciesThatJumpAboutAsTheyFall_GivesPlansThatReachIt()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var noise = new Random(seed);
            var measured = new Dictionary<double, double>();
            var search = new Search(0.8, share => measured.TryGetValue(share, out var known) ? known : measured[share] = share + 0.1 * noise.NextDouble());

            var planned = search.Reaching(1, 0.5, 0.25);

            Assert.IsTrue(planned.All(plan => measured[ShareOf(plan)] >= 0.8), $"seed {seed}");
            Assert.AreEqual(planned.Min(ShareOf), ShareOf(planned.Single(plan => plan.AccuracyFloor == 0.8)), $"seed {seed}");
        }
    }

    [TestMethod]
    public void Reaching_NoneOfTheBudgets_LooksBetweenThemAndTheDenseModel()
    {
        var planned = new Search(0.5, share => share >= 0.7 ? 0.9 : 0.1).Reaching(0.5, 0.25);

        var found = planned.Single();
        Assert.IsTrue(ShareOf(found) is >= 0.7 and < 0.75, $"{ShareOf(found)}: one share for all layers of a LeNet comes in coarse steps");
        Assert.AreEqual(ShareOf(found), found.Budget.Share, 1e-4, "a plan that was found is named after what it costs");
    }

    [TestMethod]
    public void Reaching_AnAccuracyThatEveryPlanHas_GivesTheCheapestOfAll()
    {
        var planned = new Search(0.05, _ => 0.1).Reaching(1, 0.5);

        Assert.HasCount(3, planned);
        Assert.IsTrue(planned[^1].Plan.Layers.Values.All(rank => rank.Components == 1));
    }

    [TestMethod]
    public void Reaching_OnlyTheDenseModelDoes_GivesThat()
    {
        var found = new Search(0.5, share => share == 1 ? 0.9 : 0.1).Reaching(0.5).Single();

        Assert.IsTrue(found.Plan.Layers.Values.All(rank => rank.IsDense));
        Assert.AreEqual(1, found.Budget.Share);
    }

    [TestMethod]
    public void Reaching_AnAccuracyThatNotEvenDenseHas_SaysWhatTheBestHas()
    {
        var refused = Assert.ThrowsExactly<ExportException>(() => new Search(0.95, share => 0.5 + 0.4 * share).Reaching(0.5, 0.25));

        StringAssert.Contains(refused.Message, "0.9");
    }

    static double ShareOf(PlannedVariant plan) => Macs.Of(plan.Formed) / Macs.Dense;

    static PlannedVariant Planned(double share) => PlannedVariant.Of(LeNet, share, Planner.Plan(share));

    /// <summary>A search for an accuracy that depends on the cost alone, and how many graphs it cut.</summary>
    sealed class Search(double floor, Func<double, double> accuracyOf)
    {
        public int Graphs { get; private set; }

        public IReadOnlyList<PlannedVariant> Reaching(params double[] shares) => new AccuracySearch(floor, plan =>
        {
            Graphs++;
            return accuracyOf(ShareOf(plan));
        }, (share, _) => Planned(share), ShareOf).Reaching([.. shares.Select(Planned)], PlannedVariant.Dense(LeNet));
    }
}
