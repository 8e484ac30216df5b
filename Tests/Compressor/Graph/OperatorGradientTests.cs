using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Onnx.Protos;
using TorchSharp;

namespace MaestroDeploy.Tests.Compressor.Graph;

/// <summary>Gradients reach the weights, and are the slopes that differences measure.</summary>
[TestClass]
public sealed class OperatorGradientTests
{
    const double Step = 1e-2, Tolerance = 2e-2; // a central difference in float32: its error is of the order of the step squared

    static readonly Dictionary<string, Func<OneNode>> Nodes = new()
    {
        ["convolution transposed"] = () => new OneNode("ConvTranspose", 11).In(1, 2, 4, 4).Weight(2, 3, 3, 3).Weight(3).With("strides", [2, 2]).With("pads", [1, 0, 0, 1]),
        ["convolution, uneven pads"] = () => new OneNode("Conv", 11).In(1, 2, 5, 5).Weight(3, 2, 3, 3).Weight(3).With("pads", [0, 1, 2, 0]),
        ["resize: linear"] = () => new OneNode("Resize", 13).Weight(1, 2, 3, 4).Nothing().Floats(1, 1, 2, 1.5f).With("mode", "linear"),
        ["resize: nearest"] = () => new OneNode("Resize", 13).Weight(1, 2, 3, 4).Nothing().Floats(1, 1, 2, 2),
        ["pad: reflect"] = () => new OneNode("Pad", 13).Weight(2, 4).Longs(0, 2, 0, 1).With("mode", "reflect"),
        ["pad: constant"] = () => new OneNode("Pad", 13).Weight(2, 4).Longs(0, 2, 1, -1),
        ["group norm"] = () => new OneNode("GroupNormalization", 18).In(2, 6, 3, 3).Weight(3).Weight(3).With("num_groups", 3),
        ["layer norm"] = () => new OneNode("LayerNormalization", 17).In(2, 3, 4).Weight(4).Weight(4),
        ["instance norm"] = () => new OneNode("InstanceNormalization", 6).In(2, 3, 5).Weight(3).Weight(3),
        ["gather"] = () => new OneNode("Gather", 13).Weight(5, 3).Longs([2, 2], 0, -1, 2, 0),
        ["gather nd"] = () => new OneNode("GatherND", 13).Weight(3, 4).Longs([2, 2], 0, 1, 2, -1),
        ["slice: backwards"] = () => new OneNode("Slice", 13).Weight(6, 3).Longs(-1).Longs(0).Longs(0).Longs(-2),
        ["scatter nd"] = () => new OneNode("ScatterND", 16).Weight(4, 3).Longs([2, 1], 1, -1).Weight(2, 3),
        ["prelu"] = () => new OneNode("PRelu", 16).In(2, 3, 4).Weight(3, 1),
        ["einsum"] = () => new OneNode("Einsum", 12).In(2, 3, 4).Weight(4, 5).With("equation", "bij,jk->bik"),
        ["sum of squares, by root"] = () => new OneNode("ReduceL2", 13).Weight(3, 4).With("axes", [1]),
        ["concatenation"] = () => new OneNode("Concat", 13).In(2, 3).Weight(2, 2).With("axis", 1),
        ["expand"] = () => new OneNode("Expand", 13).Weight(1, 1, 4).Longs(3, 2, 1),
        ["power"] = () => new OneNode("Pow", 13).Weight(3, 4).Floats(2),
        ["average pool, uneven pads"] = () => new OneNode("AveragePool", 11).Weight(1, 2, 5, 5).With("kernel_shape", [2, 2]).With("pads", [0, 1, 1, 0]),
    };

    public static IEnumerable<string[]> Names => Nodes.Keys.Select(name => new[] { name });

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void Backward_EachWeight_GetsTheSlopeThatADifferenceMeasures(string name)
    {
        var node = Nodes[name]();
        using var scope = torch.NewDisposeScope();
        using var graph = new TrainableGraph(new LodModel(Fed(node.Model()), [], new LodProvenance()));
        torch.Tensor[] inputs = node.Inputs() is { Length: > 0 } given ? given : [torch.zeros(1)];

        Loss(graph, inputs).backward();

        Assert.IsNotEmpty(graph.Weights);
        foreach (var weight in graph.Weights.Values)
        {
            var slope = weight.grad!.norm().item<float>();
            Assert.IsGreaterThan(0, slope);
            var measured = (At(Step) - At(-Step)) / (2 * Step);
            Assert.AreEqual(slope, measured, Tolerance * slope);

            double At(double distance)
            {
                using var nothing = torch.no_grad();
                var way = weight.grad! / slope * distance;
                weight.add_(way);
                var loss = Loss(graph, inputs).item<float>();
                weight.sub_(way);
                return loss;
            }
        }
    }

    [TestMethod]
    public void Backward_AViewOfAWeight_ReachesTheWeight()
    {
        var model = new OneNode("MatMul", 13).In(2, 6).Weight(3, 4).Model();
        Prepend(model, "Cast", "x1", "cast").With("to", (long)TensorProto.Types.DataType.Float);
        Prepend(model, "Reshape", "cast", "shaped", TensorValues.Create("sizes", [2], [6L, 2]));
        Prepend(model, "Transpose", "shaped", "turned").With("perm", 0, 1);
        model.Graph.Node[^1].Input[1] = "turned";
        using var scope = torch.NewDisposeScope();
        using var graph = new TrainableGraph(new LodModel(model, [], new LodProvenance()));

        graph.Forward(torch.ones(2, 6)).sum().backward();

        Assert.AreEqual(2f, graph.Weights["x1"].grad!.min().item<float>());
    }

    [TestMethod]
    [DataRow("Clip", 13)]
    [DataRow("Pow", 13)]
    public void New_NumbersOfAnOperation_DoNotLearn(string operation, int opset)
    {
        using var graph = new TrainableGraph(new LodModel(new OneNode(operation, opset).In(2, 3).Floats(2).Model(), [], new LodProvenance()));

        Assert.IsEmpty(graph.Weights);
    }

    /// <summary>PyTorch stores equal statistics once and copies them by Identity.</summary>
    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void Forward_StatisticsThatAreShared_NeitherMoveNorLearn(bool byIdentity)
    {
        var model = new OneNode("BatchNormalization", 15).In(4, 3, 2).Weight(3).Weight(3).Floats(0, 0, 0).Floats(1, 1, 1).Model();
        if (byIdentity)
        {
            Prepend(model, "Identity", "x3", "mean");
            model.Graph.Node[^1].Input[3] = "mean";
        }
        else
        {
            model.Graph.Node[^1].Input[3] = "x4";
            model.Graph.Initializer.Remove(model.Initializer("x3"));
        }

        using var scope = torch.NewDisposeScope();
        using var graph = new TrainableGraph(new LodModel(model, [], new LodProvenance()));
        var x = torch.rand(4, 3, 2);
        var before = graph.Forward(x);

        graph.Forward(x, null, ForwardMode.TrainFull);

        CollectionAssert.AreEquivalent(new[] { "x1", "x2" }, graph.Weights.Keys.ToArray());
        Assert.AreEqual(0f, (graph.Forward(x) - before).abs().max().item<float>());
    }

    [TestMethod]
    public void ToModel_HalfPrecision_LearnsInSingleAndIsWrittenBackInHalf()
    {
        var model = new OneNode("MatMul", 13).In(2, 3).Weight(3, 4).Model();
        using var scope = torch.NewDisposeScope();
        using (var single = new TrainableGraph(new LodModel(model, [], new LodProvenance())))
        {
            model.ReplaceInitializer(NativeTensor.ToOnnx("x1", single.Weights["x1"], TensorProto.Types.DataType.Float16));
        }

        using var graph = new TrainableGraph(new LodModel(model, [], new LodProvenance()));
        var written = graph.ToModel(new LodProvenance()).Model.Initializer("x1")!;

        Assert.AreEqual(torch.float32, graph.Weights["x1"].dtype);
        Assert.AreEqual(model.Initializer("x1"), written);
    }

    // Each output counts with another weight: of a norm alone, the sum of squares would not change.
    static torch.Tensor Loss(TrainableGraph graph, torch.Tensor[] inputs)
    {
        var output = graph.Outputs(inputs)[0];
        return (output.square() * torch.linspace(0.5, 1.5, output.numel()).reshape(output.shape)).sum() + output.sum();
    }

    // A graph must take something: where every operand is a weight, an input that nothing reads.
    static OnnxModel Fed(OnnxModel model)
    {
        if (model.Graph.Input.Count == 0)
        {
            model.Graph.Input.Add(new ValueInfoProto { Name = "unread", Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)TensorProto.Types.DataType.Float } } });
        }

        return model;
    }

    static NodeProto Prepend(OnnxModel model, string operation, string input, string output, TensorProto? second = null)
    {
        var node = new NodeProto { OpType = operation };
        node.Input.Add(input);
        node.Output.Add(output);
        if (second is not null)
        {
            model.Graph.Initializer.Add(second);
            node.Input.Add(second.Name);
        }

        model.Graph.Node.Insert(model.Graph.Node.Count - 1, node);
        return node;
    }
}
