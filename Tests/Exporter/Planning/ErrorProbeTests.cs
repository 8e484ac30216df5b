using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Data;
using MaestroDeploy.Exporter;
using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Exporter.Planning;
using MaestroDeploy.Exporter.Slicing;
using MaestroDeploy.Onnx.Build;
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

    /// <summary>A weight on the left of a vector has [r] behind its projection, where one on the left of matrices has [r, places].</summary>
    [TestMethod]
    public void Error_OfAWeightOnTheLeftOfAVector_IsThatOfTheCutGraph()
    {
        using var folder = new TemporaryFolder();
        var g = new GraphBuilder("left", seed: 1);
        var x = new Value(g.Reshape(g.Input("x", 24), 24).Name, [24]);
        var product = g.Node("MatMul", [g.Table("w", 32, 24), x]);
        var model = g.Build(new Value(product.Name, [32]));
        model.Graph.Input[0].Type.TensorType.Shape.Dim[0] = new() { DimValue = 1 };
        model.Graph.Output[0].Type.TensorType.Shape = null;
        var lod = SvdFactoring.Decompose(model, new LodProvenance()).Model;
        var data = new RandomInputs();
        using var probe = new ErrorProbe(lod, lod.Cost(), data, Settings, folder.Path);

        var expected = AnswerDistance.Relative(Outputs(lod, data, folder, [24]), Outputs(lod, data, folder, [9]));

        Assert.IsGreaterThan(0.01, expected);
        Assert.AreEqual(expected, probe.Error([9]), Rounding * expected);
    }

    [TestMethod]
    public void InputsSha256_ALaterBatchDiffers_IsAnother()
    {
        using var folder = new TemporaryFolder();
        var values = Numbers.Uniform(64 * 64);
        var first = Sha256();
        values[^1]++;

        Assert.AreNotEqual(first, Sha256());

        string Sha256()
        {
            var inputs = new UnlabelledInputs("some", new Dictionary<string, NpyArray> { ["image"] = new([64, 1, 8, 8], [.. values], "float32") });
            using var probe = new ErrorProbe(SmallModels.Mlp, SmallModels.Mlp.Cost(), inputs, Settings, folder.Path);
            return probe.InputsSha256;
        }
    }

    /// <summary>Some models rule answers out by infinities, such as moves that a game does not allow.</summary>
    [TestMethod]
    public void Distance_OfScoresThatAreRuledOut_IsThatOfTheOthers()
    {
        const float Not = float.NegativeInfinity;
        NamedTensor[] uncut = [new("y", [1, 4], [1, Not, 2, Not])], cut = [new("y", [1, 4], [2, Not, 2, Not])];
        NamedTensor[] others = [new("y", [1, 2], [1, 2])], cutOthers = [new("y", [1, 2], [2, 2])];

        Assert.AreEqual(AnswerDistance.Relative(others, cutOthers), AnswerDistance.Relative(uncut, cut), 1e-9);
        Assert.AreEqual(AnswerDistance.Divergence(others, cutOthers), AnswerDistance.Divergence(uncut, cut), 1e-9);
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
