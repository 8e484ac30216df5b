using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Compressor.Training;
using MaestroDeploy.Compressor.Training.Samplers;
using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Tests.Compressor;

[TestClass]
public sealed class SamplerTests
{
    static readonly int[] LeNetRanks = [6, 16, 120, 84, 10];

    [TestMethod]
    public void Draw_SingleLayerOverACycle_GivesEachPairOnce()
    {
        var sampler = new SingleLayerSampler(seed: 1);

        var drawn = Enumerable.Range(0, 236).Select(step => string.Join(',', sampler.Draw(LeNetRanks, new SamplingPlace(step)))).ToList();

        // Each layer at its full rank is the same draw, once for each of the five layers: maestro.md, item 9.
        Assert.HasCount(236 - 4, drawn.Distinct().ToList());
        Assert.AreEqual(5, drawn.Count(draw => draw == string.Join(',', LeNetRanks)));
    }

    [TestMethod]
    public void Draw_PlansOfAQuarterOfTheCost_ComeTwiceAsOften()
    {
        TrainedPlan[] plans = [Plan(("fc1", 48), ("logits", 10)), Plan(("fc1", 20), ("logits", 5)), Plan(("logits", 1), ("fc1", 1))];
        var sampler = new PlanSampler(seed: 1, Cost, plans);
        const int Steps = 30_000;

        var drawn = Enumerable.Range(0, Steps).CountBy(step => string.Join(',', sampler.Draw([48, 10], new SamplingPlace(step)))).ToDictionary();

        // Dense at 48 and 10: 64·48 + 48·10 = 3,552 products. At 20 and 5: 20·112 + 5·58 = 2,530. At 1 and 1: 170.
        double[] weights = [1 / Math.Sqrt(3552), 1 / Math.Sqrt(2530), 1 / Math.Sqrt(170)];
        foreach (var (plan, weight) in new[] { "48,10", "20,5", "1,1" }.Zip(weights))
        {
            // Four standard deviations of a share of one half.
            Assert.AreEqual(weight / weights.Sum(), drawn[plan] / (double)Steps, 4 * Math.Sqrt(0.25 / Steps), plan);
        }
    }

    [TestMethod]
    public void Draw_PlansOfAModelThatHasLostComponents_StayWithinItsRanks()
    {
        var sampler = new PlanSampler(seed: 1, Cost, [Plan(("fc1", 20))]);

        CollectionAssert.AreEqual(new[] { 12, 7 }, sampler.Draw([12, 7], new SamplingPlace(0)));
        CollectionAssert.AreEqual(new[] { 20, 10 }, sampler.Plans([48, 10]).Single());
    }

    [TestMethod]
    public void PlanSampler_ALayerThatIsNotThere_IsRefusedByName()
    {
        var refused = Assert.Throws<ArgumentException>(() => new PlanSampler(1, Cost, [Plan(("fc9", 1))]));

        Assert.Contains("'fc9'", refused.Message);
    }

    [TestMethod]
    public void Draw_SingleLayerOverACycle_CutsEachLayerAsOftenAsItHasRanks()
    {
        var sampler = new SingleLayerSampler(seed: 1);

        var cut = new int[LeNetRanks.Length];
        for (var step = 0; step < 236; step++)
        {
            var draw = sampler.Draw(LeNetRanks, new SamplingPlace(step));
            for (var layer = 0; layer < cut.Length; layer++)
            {
                cut[layer] += draw[layer] < LeNetRanks[layer] ? 1 : 0;
            }
        }

        CollectionAssert.AreEqual(LeNetRanks.Select(rank => rank - 1).ToArray(), cut);
    }

    [TestMethod]
    public void Draw_SingleLayerOfAnyWidthUpTo2048_GivesEveryRankExactly()
    {
        for (var width = 1; width <= 2048; width++)
        {
            var sampler = new SingleLayerSampler(seed: width);
            var seen = new bool[width + 1];
            for (var step = 0; step < width; step++)
            {
                seen[sampler.Draw([width], new SamplingPlace(step))[0]] = true;
            }

            Assert.AreEqual(width, seen.Count(drawn => drawn), $"width {width}");
            Assert.IsFalse(seen[0]);
        }
    }

    [TestMethod]
    public void Draw_SingleLayer_FollowsFromThePlaceAlone()
    {
        var running = new SingleLayerSampler(seed: 3);
        var whole = Enumerable.Range(0, 500).Select(step => running.Draw(LeNetRanks, new SamplingPlace(40 + step, 40))).ToArray();

        var resumed = new SingleLayerSampler(seed: 3);

        CollectionAssert.AreEqual(whole[333], resumed.Draw(LeNetRanks, new SamplingPlace(373, 40)));
    }

    [TestMethod]
    public void Draw_SingleLayerWithRanksRemoved_LeavesThoseLayersAlone()
    {
        var sampler = new SingleLayerSampler(seed: 1);

        for (var step = 0; step < 20; step++)
        {
            var draw = sampler.Draw([0, 3, 0], new SamplingPlace(step));

            Assert.AreEqual((0, 0), (draw[0], draw[2]));
            Assert.IsInRange(1, 3, draw[1]);
        }
    }

    [TestMethod]
    public void Draw_EveryLayerRemoved_GivesThatPlanInsteadOfSearchingForever()
    {
        foreach (var sampler in new IRankSampler[] { new SingleLayerSampler(1), new IndependentSampler(1), Nested() })
        {
            CollectionAssert.AreEqual(new[] { 0, 0, 0, 0, 0 }, sampler.Draw([0, 0, 0, 0, 0], default));
        }
    }

    [TestMethod]
    public void Draw_Independent_DrawsEachLayerUniformly()
    {
        var sampler = new IndependentSampler(seed: 1);

        var draws = Enumerable.Range(0, 6000).Select(step => sampler.Draw(LeNetRanks, new SamplingPlace(step))).ToList();

        foreach (var rank in Enumerable.Range(1, 6))
        {
            Assert.AreEqual(1000, draws.Count(draw => draw[0] == rank), 120); // four deviations of a binomial of 1/6
        }

        Assert.IsTrue(draws.All(draw => draw.Zip(LeNetRanks).All(pair => pair.First >= 1 && pair.First <= pair.Second)));
    }

    [TestMethod]
    public void Draw_Nested_GivesPlansOfOneShareForAllLayers()
    {
        var sampler = Nested();

        var draws = Enumerable.Range(0, 300).Select(step => sampler.Draw(LeNetRanks, new SamplingPlace(step))).ToList();

        Assert.IsTrue(draws.All(draw => draw.Zip(LeNetRanks).All(pair => pair.First >= 1 && pair.First <= pair.Second)));
        Assert.IsGreaterThan(20, draws.Select(draw => string.Join(',', draw)).Distinct().Count());
        Assert.IsTrue(draws.Any(draw => draw[2] < 20) && draws.Any(draw => draw[2] > 100), "both ends are drawn");
    }

    static NestedSampler Nested() =>
        new(1, SvdFactoring.Factor(BuiltInModels.Create("lenet", [1, 28, 28], 10, 1), new LodProvenance()).Cost().Layers, smallest: 1 / 8.0);

    static LodCost Cost { get; } = SvdFactoring.Factor(BuiltInModels.Create("mlp", [1, 8, 8], 10, 1, new ModelSize([48])), new LodProvenance()).Cost();

    static TrainedPlan Plan(params (string Layer, int Rank)[] ranks) => new(0.5, ranks.ToDictionary(rank => rank.Layer, rank => rank.Rank));
}
