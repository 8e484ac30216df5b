using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Compressor.Training;
using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Tests.Compressor;

[TestClass]
public sealed class RankSamplerTests
{
    static readonly int[] LeNetRanks = [6, 16, 120, 84, 10];

    [TestMethod]
    public void Draw_SingleLayerOverACycle_GivesEachPairOnce()
    {
        var sampler = new SingleLayerSampler(new Random(1));

        var drawn = Enumerable.Range(0, 236).Select(_ => string.Join(',', sampler.Draw(LeNetRanks))).ToList();

        // Each layer at its full rank is the same draw, once for each of the five layers: maestro.md, item 9.
        Assert.HasCount(236 - 4, drawn.Distinct().ToList());
        Assert.AreEqual(5, drawn.Count(draw => draw == string.Join(',', LeNetRanks)));
    }

    [TestMethod]
    public void Draw_SingleLayer_CutsOneLayerAndLeavesTheOthersFull()
    {
        var sampler = new SingleLayerSampler(new Random(1));

        for (var i = 0; i < 500; i++)
        {
            var draw = sampler.Draw(LeNetRanks);

            Assert.IsLessThanOrEqualTo(1, draw.Zip(LeNetRanks).Count(pair => pair.First != pair.Second));
            Assert.IsTrue(draw.Zip(LeNetRanks).All(pair => pair.First >= 1 && pair.First <= pair.Second));
        }
    }

    [TestMethod]
    public void Draw_SingleLayerAfterShrinking_StaysWithinTheNewRanks()
    {
        var sampler = new SingleLayerSampler(new Random(1));
        sampler.Draw(LeNetRanks);

        for (var i = 0; i < 20; i++)
        {
            Assert.IsTrue(sampler.Draw([1, 2, 3, 4, 5]).Zip([1, 2, 3, 4, 5], (drawn, most) => drawn <= most).All(fits => fits));
        }
    }

    [TestMethod]
    public void Draw_Nested_GivesPlansThatLieWithinOneAnother()
    {
        var layers = SvdFactoring.Factor(BuiltInModels.Create("lenet", [1, 28, 28], 10, 1), new LodProvenance()).Cost().Layers;
        var sampler = new NestedSampler(new Random(1), layers, 1 / 8.0);

        var draws = Enumerable.Range(0, 300).Select(_ => sampler.Draw(LeNetRanks)).ToList();

        Assert.IsTrue(draws.All(draw => draw.Zip(LeNetRanks).All(pair => pair.First >= 1 && pair.First <= pair.Second)));
        Assert.IsGreaterThan(20, draws.Select(draw => string.Join(',', draw)).Distinct().Count());
        Assert.IsTrue(draws.Any(draw => draw[2] < 20) && draws.Any(draw => draw[2] == 120), "both ends are drawn");
    }
}
