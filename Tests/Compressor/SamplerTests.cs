using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Models;
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
    public void Draw_Plans_GivesEachOnceACycleWithinTheCurrentRanks()
    {
        FactorPair[] layers = [new("fc1", LayerKind.Linear, "u1", "v1", [8, 8]), new("fc2", LayerKind.Linear, "u2", "v2", [8, 8])];
        Dictionary<string, int>[] plans = [new() { ["fc1"] = 8 }, new() { ["fc1"] = 4, ["fc2"] = 5 }, new() { ["fc2"] = 1, ["fc1"] = 2 }];
        var sampler = new PlanSampler(seed: 1, layers, plans);

        var drawn = Enumerable.Range(0, 30).Select(step => string.Join(',', sampler.Draw([6, 7], new SamplingPlace(step)))).ToList();

        string[] each = ["6,7", "4,5", "2,1"];
        Assert.IsTrue(drawn.Chunk(3).All(cycle => cycle.ToHashSet().SetEquals(each)));
        Assert.IsGreaterThan(1, drawn.Chunk(3).Select(cycle => string.Join(' ', cycle)).Distinct().Count(), "the order is drawn anew");
    }

    [TestMethod]
    public void PlanSampler_ALayerThatIsNotThere_IsRefusedByName()
    {
        FactorPair[] layers = [new("fc1", LayerKind.Linear, "u1", "v1", [8, 8])];

        var refused = Assert.Throws<ArgumentException>(() => new PlanSampler(1, layers, [new Dictionary<string, int> { ["fc9"] = 1 }]));

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
}
