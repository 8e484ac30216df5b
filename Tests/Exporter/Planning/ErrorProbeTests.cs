using MaestroDeploy.Exporter;
using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Exporter.Planning;
using MaestroDeploy.Exporter.Slicing;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Tests.Exporter.Planning;

[TestClass]
public sealed class ErrorProbeTests
{
    // The masked graph sums the same numbers as the cut one, in another order.
    const double Rounding = 1e-4;

    static readonly SessionSettings Settings = new() { Threads = 1 };

    [TestMethod]
    public void Measure_ATrainedModel_GivesErrorsThatNeverRiseWithTheRankAndEndAtNothing()
    {
        using var folder = new TemporaryFolder();
        var cost = SmallModels.Mlp.Cost();
        using var probe = new ErrorProbe(SmallModels.Mlp, cost, new LabelledSamples(SmallModels.Digits), Settings, folder.Path);

        var table = probe.Measure(new string('0', 64), cost, _ => { }, CancellationToken.None);

        Assert.AreEqual("divergence", table.Measure);
        foreach (var layer in table.Layers)
        {
            Assert.AreEqual(0, layer.Errors[^1]);
            Assert.IsGreaterThan(layer.Errors[^2], layer.Errors[0], $"one component of {layer.Layer} answers worse than most of them");
        }
    }

    [TestMethod]
    public void Error_OfAPlan_IsThatOfTheCutGraph()
    {
        using var folder = new TemporaryFolder();
        var lod = SmallModels.Mlp;
        var data = new LabelledSamples(SmallModels.Digits);
        using var probe = new ErrorProbe(lod, lod.Cost(), data, Settings, folder.Path);
        int[] ranks = [8, 6, 5];

        var uncut = Outputs(lod, data, folder, [.. lod.Pairs.Select(pair => pair.Rank(lod.Model))]);
        var cut = Outputs(lod, data, folder, ranks);

        var expected = AnswerDistance.Divergence(uncut, cut);
        Assert.IsGreaterThan(0.01, expected);
        Assert.AreEqual(expected, probe.Error(ranks), Rounding * expected);
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void Distance_OfOutputsWhoseSizeDependsOnTheirValues_IsRefusedByName(bool ofScores)
    {
        NamedTensor[] uncut = [new("boxes", [3, 4], new float[12])], cut = [new("boxes", [2, 4], new float[8])];

        var refused = Assert.ThrowsExactly<ExportException>(() => ofScores ? AnswerDistance.Divergence(uncut, cut) : AnswerDistance.Relative(uncut, cut));

        Assert.Contains("'boxes' holds 8 numbers where the uncut model gives 12", refused.Message);
    }

    [TestMethod]
    public void Error_WithoutData_IsTheDistanceOnMadeUpInputs()
    {
        using var folder = new TemporaryFolder();
        var lod = SmallModels.Convolutions;
        using var probe = new ErrorProbe(lod, lod.Cost(), new RandomInputs(), Settings, folder.Path);
        var full = lod.Pairs.Select(pair => pair.Rank(lod.Model)).ToArray();

        Assert.AreEqual("distance", ErrorProbe.MeasureOf(new RandomInputs()));
        Assert.AreEqual(0, probe.Error(full));
        Assert.IsGreaterThan(0.01, probe.Error([.. full.Select(_ => 1)]));
    }

    [TestMethod]
    public void Error_OnRandomInputs_IsThatOfACutGraphWithTheNormsItWasTrainedWith()
    {
        using var folder = new TemporaryFolder();
        var (lod, data) = (SmallModels.Convolutions, new RandomInputs());
        using var probe = new ErrorProbe(lod, lod.Cost(), data, Settings, folder.Path);
        int[] full = [.. lod.Pairs.Select(pair => pair.Rank(lod.Model))], half = [.. full.Select(rank => rank / 2)];

        var expected = AnswerDistance.Relative(Outputs(lod, data, folder, full), Outputs(lod, data, folder, half));

        Assert.IsGreaterThan(0.01, expected);
        Assert.AreEqual(expected, probe.Error(half), Rounding * expected);
    }

    [TestMethod]
    public void Divergence_OfProbabilities_TakesThemAsSuch()
    {
        NamedTensor[] uncut = [new("p", [1, 2], [0.5f, 0.5f])], cut = [new("p", [1, 2], [0.25f, 0.75f])];

        Assert.AreEqual(0.5 * Math.Log(2) + 0.5 * Math.Log(0.5 / 0.75), AnswerDistance.Divergence(uncut, cut), 1e-6);
    }

    [TestMethod]
    public void Divergence_OfScoresBeforeAxesOfOne_IsThatOfTheClasses()
    {
        float[] before = [3, 1, 0, 2, 2, 5], after = [1, 3, 0, 2, 2, 4];

        var flat = AnswerDistance.Divergence([new("s", [2, 3], before)], [new("s", [2, 3], after)]);

        Assert.IsGreaterThan(0.1, flat);
        Assert.AreEqual(flat, AnswerDistance.Divergence([new("s", [2, 3, 1, 1], before)], [new("s", [2, 3, 1, 1], after)]));
    }

    [TestMethod]
    public void Divergence_OfOneWrongAnswerByFar_IsLessThanOfNoAnswersAtAll()
    {
        NamedTensor[] uncut = [new("s", [4, 2], [900, 0, 900, 0, 900, 0, 900, 0])];
        NamedTensor[] oneWrong = [new("s", [4, 2], [900, 0, 900, 0, 900, 0, 0, 900])], nothing = [new("s", [4, 2], new float[8])];

        Assert.AreEqual(Math.Log(2) / 4, AnswerDistance.Divergence(uncut, oneWrong), 1e-6);
        Assert.AreEqual(Math.Log(2), AnswerDistance.Divergence(uncut, nothing), 1e-6);
    }

    [TestMethod]
    public void Divergence_OfAnswersThatAreNotNumbers_IsTheWorstThereIs()
    {
        NamedTensor[] uncut = [new("p", [1, 2], [1, 2])], cut = [new("p", [1, 2], [float.NaN, 2])];

        Assert.AreEqual(1e9, AnswerDistance.Divergence(uncut, cut));
        Assert.AreEqual(1e9, AnswerDistance.Relative(uncut, cut));
    }

    [TestMethod]
    [DataRow(100_000L, true, 4096, DisplayName = "a small network")]
    [DataRow(25_000_000_000L, true, 64, DisplayName = "a large one")]
    [DataRow(1_000_000_000_000L, true, 4, DisplayName = "one that takes many times as long")]
    [DataRow(1L, false, 4, DisplayName = "one whose cost is not known")]
    public void SamplesFor_AModel_AreAsManyAsItsCostAllows(long macs, bool isCounted, int expected)
    {
        var layer = new PairCost(new FactorPair("layer", LayerKind.Linear, "u", "v", [4, 4]), Rank: 4, Positions: 1);

        Assert.AreEqual(expected, ErrorProbe.SamplesFor(new LodCost(0, macs, [layer], isCounted)));
    }

    static List<NamedTensor> Outputs(LodModel lod, EvaluationData data, TemporaryFolder folder, int[] ranks)
    {
        var plan = new RankPlan(lod.Pairs.Zip(ranks, (pair, rank) => KeyValuePair.Create(pair.Layer, new LayerRank(rank))));
        new PlanCutter(lod).Cut(plan).Save(folder["cut.onnx"]);
        using var session = new ModelSession(folder["cut.onnx"], Settings);
        return [.. data.Probe(session, ErrorProbe.SamplesFor(lod.Cost())).Select(batch => session.RunAll(batch.Inputs)[0])];
    }
}
