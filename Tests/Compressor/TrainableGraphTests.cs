using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Build;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Onnx.Protos;
using TorchSharp;

namespace MaestroDeploy.Tests.Compressor;

[TestClass]
public sealed class TrainableGraphTests
{
    // What the design promises of every supported operator; the outputs here are of the order of 1.
    const float Parity = 1e-4f;

    [TestMethod]
    [DataRow("mlp")]
    [DataRow("lenet")]
    [DataRow("vgg11")]
    [DataRow("resnet50")]
    [DataRow("softmax head")]
    [DataRow("reshape, average pool and add")]
    [DataRow("global average pool and matmul")]
    [DataRow("uneven padding, dilation and groups")]
    [DataRow("gemm with every attribute")]
    public void Forward_EachOperator_AgreesWithOnnxRuntime(string kind)
    {
        var (model, shape) = Model(kind);
        var input = Numbers.Uniform((int)shape.Aggregate(1L, (a, b) => a * b));

        using var graph = new TrainableGraph(new LodModel(model, [], new LodProvenance()));
        var actual = Run(graph, input, shape);

        Assert.IsLessThan(Parity, Numbers.LargestDifference(OrtRunner.Run(model, input, shape), actual));
    }

    [TestMethod]
    public void Forward_AtRanks_AgreesWithTheGraphCutToThem()
    {
        var lod = SvdFactoring.Factor(BuiltInModels.Create("lenet", [1, 28, 28], 10, seed: 1), new LodProvenance());
        int[] ranks = [2, 5, 30, 1, 7];
        var cut = lod.Model.Clone();
        foreach (var (pair, rank) in lod.Pairs.Zip(ranks))
        {
            PairRewrite.Truncate(cut, pair, rank);
        }

        var input = Numbers.Uniform(3 * 784);
        using var graph = new TrainableGraph(lod);
        var actual = Run(graph, input, [3, 1, 28, 28], ranks);

        Assert.IsLessThan(Parity, Numbers.LargestDifference(OrtRunner.Run(cut, input, 3, 1, 28, 28), actual));
    }

    /// <summary>A large batch multiplies the factors together first, a small one does not: the numbers must not tell which.</summary>
    [TestMethod]
    [DataRow("linear")]
    [DataRow("convolution")]
    [DataRow("product")]
    public void Forward_MultipliedBackOrNot_GivesTheSameAnswersAndGradients(string kind)
    {
        const float Rounding = 2e-5f; // two orders of summing float32
        const int Batch = 64;
        var g = new GraphBuilder("pair", seed: 1);
        var output = kind switch
        {
            "linear" => g.Linear(g.Input("x", 16), "layer", 12),
            "convolution" => g.Conv(g.Input("x", 3, 5, 5), "layer", channels: 40, kernel: 3),
            _ => g.Project(g.Input("x", 2, 16), "layer", 12),
        };
        var lod = SvdFactoring.Factor(g.Build(output), new LodProvenance());
        long[] sample = kind switch { "linear" => [16], "convolution" => [3, 5, 5], _ => [2, 16] };
        using var scope = torch.NewDisposeScope();
        using TrainableGraph whole = new(lod), pieces = new(lod);
        var input = torch.tensor(Numbers.Uniform(Batch * (int)sample.Aggregate(1L, (a, b) => a * b)), [Batch, .. sample]);

        var atOnce = whole.Forward(input);
        var each = torch.cat([.. Enumerable.Range(0, Batch).Select(i => pieces.Forward(input[i..(i + 1)]))]);
        atOnce.square().sum().backward();
        each.square().sum().backward();

        AssertClose(atOnce, each);
        foreach (var (name, weight) in whole.Weights)
        {
            AssertClose(weight.grad! / Batch, pieces.Weights[name].grad! / Batch);
        }

        static void AssertClose(torch.Tensor a, torch.Tensor b) =>
            Assert.IsLessThan(Rounding, (a - b).abs().max().item<float>() / Math.Max(1, a.abs().max().item<float>()));
    }

    [TestMethod]
    public void Forward_LeavesOnlyItsResultAlive()
    {
        using var graph = new TrainableGraph(SvdFactoring.Factor(BuiltInModels.Create("lenet", [1, 28, 28], 10, seed: 1), new LodProvenance()));
        using var x = torch.zeros(2, 1, 28, 28);
        var before = torch.Tensor.TotalCount;

        using var y = graph.Forward(x, [1, 2, 3, 4, 5], ForwardMode.TrainAtRanks);

        Assert.AreEqual(before + 1, torch.Tensor.TotalCount);
    }

    [TestMethod]
    public void Dispose_FreesEveryWeight()
    {
        var lod = SvdFactoring.Factor(BuiltInModels.Create("vgg11", [3, 32, 32], 10, seed: 1), new LodProvenance());
        var before = torch.Tensor.TotalCount;

        new TrainableGraph(lod).Dispose();

        Assert.AreEqual(before, torch.Tensor.TotalCount);
    }

    [TestMethod]
    public void Shrink_ToARank_RemovesTheRowsForGood()
    {
        var lod = SvdFactoring.Factor(BuiltInModels.Create("mlp", [1, 4, 4], 10, seed: 1, new ModelSize([12])), new LodProvenance());
        var cut = lod.Model.Clone();
        PairRewrite.Truncate(cut, lod.Pairs[0], 3);
        var input = Numbers.Uniform(5 * 16);
        using var graph = new TrainableGraph(lod);

        graph.Shrink(0, 3);

        CollectionAssert.AreEqual(new[] { 3, 10 }, graph.Ranks.ToArray());
        var written = graph.ToModel(new LodProvenance());
        CollectionAssert.AreEqual(new long[] { 3, 16 }, written.Model.Initializer(lod.Pairs[0].V)!.Dims.ToArray());
        Assert.IsLessThan(Parity, Numbers.LargestDifference(OrtRunner.Run(cut, input, 5, 1, 4, 4), OrtRunner.Run(written.Model, input, 5, 1, 4, 4)));
    }

    [TestMethod]
    public void New_ASparseTensor_NamesIt()
    {
        var g = new GraphBuilder("sparse", seed: 1);
        var model = g.Build(g.Linear(g.Input("x", 4), "fc", 2));
        var bias = model.Initializer("fc.bias")!;
        model.Graph.Initializer.Remove(bias);
        model.Graph.SparseInitializer.Add(new SparseTensorProto { Values = bias, Indices = TensorValues.Create("fc.bias.indices", [2], [0L, 1]), Dims = { 2 } });

        var refused = Assert.ThrowsExactly<UntrainableModelException>(() => new TrainableGraph(new LodModel(model, [], new LodProvenance())));

        Assert.Contains("'fc.bias'", refused.Message);
        Assert.Contains("sparse", refused.Message);
    }

    [TestMethod]
    public void New_AnOperatorItLacks_NamesTheNodeAndTheOperator()
    {
        var (model, _) = Model("softmax head");
        model.Graph.Node[0].OpType = "LSTM";
        model.Graph.Node[0].Name = "the.node";

        var message = Assert.ThrowsExactly<UntrainableModelException>(() => new TrainableGraph(new LodModel(model, [], new LodProvenance()))).Message;

        StringAssert.Contains(message, "the.node");
        StringAssert.Contains(message, "LSTM");
    }

    static float[] Run(TrainableGraph graph, float[] input, long[] shape, int[]? ranks = null)
    {
        using var scope = torch.NewDisposeScope();
        return graph.Forward(torch.tensor(input, shape), ranks).contiguous().data<float>().ToArray();
    }

    static (OnnxModel Model, long[] Shape) Model(string kind)
    {
        var g = new GraphBuilder("model", seed: 11);
        switch (kind)
        {
            case "mlp":
                return (BuiltInModels.Create("mlp", [1, 8, 8], 10, 1, new ModelSize([32, 16])), [4, 1, 8, 8]);
            case "lenet":
                return (BuiltInModels.Create("lenet", [1, 28, 28], 10, 1), [3, 1, 28, 28]);
            case "vgg11":
                return (BuiltInModels.Create("vgg11", [3, 32, 32], 10, 1), [2, 3, 32, 32]);
            case "resnet50":
                return (BuiltInModels.Create("resnet50", [3, 64, 64], 10, 1), [1, 3, 64, 64]); // 64: the large stem, with its padded pool
            case "softmax head":
                return (g.Build(g.Softmax(g.Linear(g.Input("x", 6), "fc", 5))), [3, 6]);
            case "reshape, average pool and add":
                var image = g.Reshape(g.Input("x", 32), 0, 2, 4, 4);
                return (g.Build(g.Add(g.AveragePool(image, 2), g.MaxPool(image, 2))), [3, 32]);
            case "global average pool and matmul":
                return (g.Build(g.MatMul(g.Flatten(g.GlobalAveragePool(g.Input("x", 5, 7, 7))), "fc", 3)), [2, 5, 7, 7]);
            case "uneven padding, dilation and groups":
                var grouped = g.Build(g.Conv(g.Input("x", 4, 9, 9), "conv", channels: 4, kernel: 3));
                grouped.Graph.Node[0].With("pads", 0, 1, 2, 3).With("dilations", 2, 1).With("group", 2);
                grouped.Graph.Initializer[0] = TensorValues.Create("conv.weight", [4, 2, 3, 3], Numbers.Uniform(72));
                grouped.Graph.Output[0].Type.TensorType.Shape = null;
                return (grouped, [2, 4, 9, 9]);
            default:
                var gemm = g.Build(g.Linear(g.Input("x", 6), "fc", 6));
                gemm.Graph.Node[0].With("transA", 1).With("transB", 0).With("alpha", 0.5f).With("beta", 2f);
                gemm.Graph.Input[0].Type.TensorType.Shape.Dim[0] = new TensorShapeProto.Types.Dimension { DimValue = 6 };
                return (gemm, [6, 6]);
        }
    }
}
