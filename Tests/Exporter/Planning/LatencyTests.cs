using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Exporter;
using MaestroDeploy.Exporter.Planning;
using MaestroDeploy.Exporter.Slicing;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;
using MaestroDeploy.Tests.Profiles;

namespace MaestroDeploy.Tests.Exporter.Planning;

[TestClass]
public sealed class LatencyTests
{
    static readonly LodModel LeNet = SvdFactoring.Factor(BuiltInModels.Create("lenet", [1, 28, 28], 10, seed: 1), new LodProvenance());

    [TestMethod]
    public void Of_ModelsThatKeepTheLaw_FindsIt()
    {
        // The prior pulls the solution by a thousandth of its weight.
        const double Pull = 0.1;
        var random = new Random(1);
        NodeTime[] models = [.. Enumerable.Range(0, 20).Select(_ => new NodeTime(100 + 400 * random.NextDouble(), random.Next(10, 60)))];

        var fit = LatencyFit.Of(models, [.. models.Select(model => 5 + 1.1 * model.Us - 2 * model.Nodes)]);

        Assert.AreEqual(1.1, fit.Scale, Pull);
        Assert.AreEqual(-2, fit.PerNode, 2 * Pull);
        Assert.AreEqual(1.1 * 50 - 2 * 3, fit.Of(new NodeTime(50, 3)), 5 * Pull);
    }

    [TestMethod]
    public void Layers_NamesAsOnnxRuntimeFusesThem_GoToTheLayerBeforeThem()
    {
        var model = new PlanCutter(LeNet).Cut(FormedPlan.Of(LeNet.Pairs, layer => layer < 2 ? (LayerForm.Pair, 4) : (LayerForm.Dense, 0)));
        model.Graph.Node[^1].Name = "logits.2"; // as the second use of a weight is called
        KernelTime[] kernels =
        [
            new("reorder", 1), new("conv1.hidden_nchwc", 2), new("ReorderOutput_token_9", 4), new("relu1_nchwc", 8), new("pool1", 16),
            new("conv2.hidden_nchwc", 32), new("relu2_nchwc_token_3", 64), new("flatten1", 128), new("fused fc1", 256), new("logits.2", 512),
        ];

        var split = new KernelSplit(model, LeNet.Pairs, kernels);

        Assert.AreEqual(new NodeTime(1, 1), split.Outside);
        CollectionAssert.AreEqual((NodeTime[])[new(2 + 4 + 8 + 16, 4), new(32 + 64 + 128, 3), new(256, 1), new(0, 0), new(512, 1)], split.Layers.ToArray());
        Assert.AreEqual(new NodeTime(1023, 10), split.Whole);
    }

    [TestMethod]
    public void Layers_OfProductsAlone_CountsNothingElseAndStillFollowsTheOrder()
    {
        var model = new PlanCutter(LeNet).Cut(FormedPlan.Dense(LeNet.Pairs));
        KernelTime[] kernels = [new("conv1_nchwc", 1, "Conv"), new("pool1", 2, "MaxPool"), new("ReorderOutput_token_9", 4, "ReorderOutput"), new("fused fc1", 8, "FusedGemm")];

        var split = new KernelSplit(model, LeNet.Pairs, kernels, kernel => kernel.Operator is "Conv" or "FusedGemm");

        CollectionAssert.AreEqual((NodeTime[])[new(1, 1), default, new(8, 1), default, default], split.Layers.ToArray());
        Assert.AreEqual(new NodeTime(9, 2), split.Whole);
    }

    [TestMethod]
    public void Measure_TheNodesOfAGraph_TellsTheirOperators()
    {
        using var folder = new TemporaryFolder();
        new PlanCutter(LeNet).Cut(FormedPlan.Dense(LeNet.Pairs)).Save(folder["lenet.onnx"]);

        var kernels = new KernelMeter().Measure([new TimedGraph(folder["lenet.onnx"], ByNode: true)], new SessionSettings { Threads = 1 }, new MeasureOptions(), folder.Path).Times[0].Kernels;

        Assert.AreEqual(2, kernels.Count(kernel => kernel.Operator.Contains("Conv", StringComparison.Ordinal)));
        Assert.AreEqual(3, kernels.Count(kernel => kernel.Operator.Contains("Gemm", StringComparison.Ordinal)));
    }

    [TestMethod]
    public void Measure_ASmallNetwork_TimesEveryLayerAtEveryRankAndHoldsItAgainstOtherModels()
    {
        var lod = SmallModels.Convolutions;

        var table = new LayerLatencyMeter(lod, new SessionSettings { Threads = 1 }, new MeasureOptions()).Measure();

        CollectionAssert.AreEqual(lod.Pairs.Select(pair => pair.Layer).ToArray(), table.Layers.Select(layer => layer.Layer).ToArray());
        Assert.IsTrue(table.DenseUs > 0 && table.Layers.All(layer => layer.Ranks.Count > 3 && layer.PairUs.Count == layer.Ranks.Count));
        Assert.IsNotNull(table.Layers[^1].IdentityUs, "the head is linear");
        Assert.IsNull(table.Layers[0].IdentityUs, "a convolution has no identity block");
        Assert.IsTrue(table.Checks.Count > 3 && table.Checks.All(check => check is { PredictedUs: > 0, MeasuredUs: > 0 }));
    }

    [TestMethod]
    public void Of_ARankBetweenTwoMeasured_LiesBetweenThem()
    {
        var cost = LeNet.Cost();
        var latency = new LatencyCost(Table(cost, pairUs: rank => 10 + rank));

        Assert.AreEqual(10 + 100, latency.Of("fc1", LayerForm.Pair, 100), 1e-9);
        Assert.AreEqual(10 + 120, latency.Of("fc1", LayerForm.Pair, 120), 1e-9);
        Assert.AreEqual(50, latency.Of("fc1", LayerForm.Dense, 0));
        Assert.AreEqual(2 + 4 * 50 + 12, latency.Predict(FormedPlan.Of(cost, i => i == 2 ? (LayerForm.Pair, 2) : (LayerForm.Dense, 0))), 1e-9);
    }

    [TestMethod]
    public void Check_ATableOfAnotherNetwork_IsRefusedByTheLayersName()
    {
        var other = SvdFactoring.Factor(BuiltInModels.Create("mlp", [1, 28, 28], 10, seed: 1), new LodProvenance()).Cost();

        var refused = Assert.ThrowsExactly<ExportException>(() => new LatencyCost(Table(LeNet.Cost(), rank => rank)).Check(other));

        StringAssert.Contains(refused.Message, "fc1", StringComparison.Ordinal);
    }

    static LayerLatencies Table(LodCost cost, Func<int, double> pairUs) => new()
    {
        Device = Samples.Device(),
        Measurement = Samples.Measurement(),
        DenseUs = 252,
        FixedUs = 2,
        Layers = [.. cost.Layers.Select(layer => CandidateRanks.Of(layer) is var ranks
            ? new LayerLatency(layer.Pair.Layer, layer.Pair.Out, layer.Pair.In, 50, ranks, [.. ranks.Select(pairUs)]) : null!)],
    };
}
