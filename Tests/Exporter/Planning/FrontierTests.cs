using MaestroDeploy.Exporter.Planning;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Tests.Exporter.Planning;

[TestClass]
public sealed class FrontierTests
{
    // Sums of five doubles in another order.
    const double Rounding = 1e-9;

    [TestMethod]
    public void Solve_AThousandSmallInstances_EqualsBruteForce()
    {
        var random = new Random(1);
        for (var instance = 0; instance < 1000; instance++)
        {
            var layers = Layers(random, count: random.Next(1, 6), options: 5);
            var all = Every(layers).ToList();

            var frontier = Frontier.Solve(layers);

            foreach (var choice in all)
            {
                Assert.IsTrue(frontier.Any(plan => plan.Cost <= choice.Cost + Rounding && plan.Error <= choice.Error + Rounding), $"instance {instance}: nothing is as good");
            }

            foreach (var plan in frontier)
            {
                Assert.IsFalse(all.Any(choice => choice.Cost < plan.Cost - Rounding && choice.Error < plan.Error - Rounding), $"instance {instance}: a plan is beaten");
            }
        }
    }

    [TestMethod]
    public void Solve_ALargeNetwork_FallsInCostRisesInErrorAndKeepsBothEnds()
    {
        var layers = Layers(new Random(2), count: 53, options: 32); // a ResNet-50's layers

        var frontier = Frontier.Solve(layers);

        Assert.IsTrue(frontier.Zip(frontier.Skip(1)).All(pair => pair.First.Cost > pair.Second.Cost && pair.First.Error < pair.Second.Error));
        Assert.AreEqual(layers.Sum(layer => layer.Options[^1].Cost), frontier[^1].Cost, Rounding);
        Assert.AreEqual(layers.Sum(layer => layer.Options[0].Error), frontier[0].Error, Rounding);
    }

    [TestMethod]
    public void Solve_ALargeNetwork_IsNoWorseThanTheNestedChain()
    {
        var layers = Layers(new Random(3), count: 53, options: 32);
        var frontier = Frontier.Solve(layers);
        var thinning = layers.Length * frontier[0].Cost / Frontier.MostStates; // a step of cost for each layer is what thinning may lose

        foreach (var nested in NestedChain.Of(layers))
        {
            Assert.IsTrue(frontier.Any(plan => plan.Cost <= nested.Cost + thinning && plan.Error <= nested.Error + Rounding));
        }
    }

    [TestMethod]
    public void Of_AnyLayers_NestsAndIsOptimalForItsCost()
    {
        var random = new Random(4);
        for (var instance = 0; instance < 200; instance++)
        {
            var layers = Layers(random, count: 4, options: 5);
            var all = Every(layers).ToList();

            var chain = NestedChain.Of(layers);

            foreach (var (larger, smaller) in chain.Zip(chain.Skip(1)))
            {
                Assert.IsTrue(larger.Options.Zip(smaller.Options).All(pair => RankOf(pair.First) >= RankOf(pair.Second)));
            }

            foreach (var plan in chain)
            {
                Assert.IsFalse(all.Any(choice => choice.Cost <= plan.Cost + Rounding && choice.Error < plan.Error - Rounding));
            }
        }
    }

    [TestMethod]
    public void Options_RanksOnOneStepOfTheStaircase_KeepsItsEdgeAndDropsAPairSlowerThanDense()
    {
        var layer = new PlanningLayer("conv",
        [
            new LayerOption(LayerRank.Dense, LayerForm.Dense, 100, 0),
            new LayerOption(new LayerRank(48), LayerForm.Pair, 104, 0.01), // slower than dense
            new LayerOption(new LayerRank(32), LayerForm.Pair, 60, 0.02),
            new LayerOption(new LayerRank(24), LayerForm.Pair, 60.2, 0.04), // the step of 32
            new LayerOption(new LayerRank(20), LayerForm.Pair, 59.8, 0.05), // the same, but for noise
            new LayerOption(new LayerRank(16), LayerForm.Pair, 40, 0.08),
        ]);

        Assert.AreEqual("dense, 32, 16", string.Join(", ", layer.Options.Select(option => option.Rank)));
    }

    static int RankOf(LayerOption option) => option.Rank.Components ?? int.MaxValue;

    static PlanningLayer[] Layers(Random random, int count, int options) => [.. Enumerable.Range(0, count).Select(layer =>
    {
        var (cost, error) = (1000.0, 0.0);
        return new PlanningLayer($"layer{layer}", Enumerable.Range(0, options).Select(option =>
        {
            cost *= 0.5 + 0.45 * random.NextDouble();
            error += random.NextDouble();
            return new LayerOption(new LayerRank(options - option), LayerForm.Pair, cost, error);
        }));
    })];

    static IEnumerable<PlanChoice> Every(IReadOnlyList<PlanningLayer> layers) => layers
        .Aggregate<PlanningLayer, IEnumerable<LayerOption[]>>([[]], (partial, layer) => partial.SelectMany(chosen => layer.Options.Select(option => (LayerOption[])[.. chosen, option])))
        .Select(chosen => new PlanChoice(chosen));
}
