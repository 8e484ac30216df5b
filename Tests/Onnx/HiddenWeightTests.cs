using Google.Protobuf;
using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Exporter.Slicing;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Build;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Onnx.Protos;
using MaestroDeploy.Profiles;
using static MaestroDeploy.Onnx.Protos.TensorProto.Types;

namespace MaestroDeploy.Tests.Onnx;

/// <summary>A tiny graph for each place where exporters hide a weight: found, factored at full rank, and the outputs stay.</summary>
[TestClass]
public sealed class HiddenWeightTests
{
    // Two products sum in another order than one; outputs here are of the order of 1.
    const float Rounding = 2e-5f, HalfRounding = 1e-2f;

    [TestMethod]
    [DataRow("a Constant node")]
    [DataRow("Identity")]
    [DataRow("Transpose")]
    [DataRow("Reshape")]
    [DataRow("Squeeze")]
    [DataRow("Unsqueeze, then Flatten")]
    [DataRow("Cast from float16")]
    [DataRow("Cast from float64, Transpose, Reshape")]
    [DataRow("a listed input of IR 3")]
    public void Factor_AWeightBehind_LeavesTheOutputs(string place)
    {
        var model = Linear();
        var weight = Numbers.Uniform(12 * 5);
        Hide(model, place, weight);

        AssertFactors(model, [3, 12], layers: 1);
    }

    [TestMethod]
    [DataRow("MatMul, weight on the left, two axes")]
    [DataRow("MatMul, weight on the left, three axes")]
    [DataRow("MatMul on one axis")]
    [DataRow("Gemm with alpha and beta")]
    [DataRow("Gemm with transA")]
    [DataRow("Gemm, weight on the left")]
    [DataRow("Gemm, weight on the left, both turned")]
    [DataRow("Gemm of opset 7")]
    [DataRow("MatMul of opset 7")]
    [DataRow("Conv of one axis")]
    [DataRow("Conv of three axes")]
    public void Factor_AWeightInANodeOfKind_LeavesTheOutputs(string kind)
    {
        var (model, shape) = NodeOfKind(kind);

        AssertFactors(model, shape, layers: 1);
    }

    [TestMethod]
    [DataRow("Gemm")]
    [DataRow("MatMul")]
    [DataRow("MatMul on two and on three axes")]
    [DataRow("Conv of two strides")]
    [DataRow("Transpose nodes of their own")]
    public void Factor_AWeightThatTwoNodesShare_MakesOnePair(string kind)
    {
        var (model, shape) = Shared(kind);
        var dense = MaestroDeploy.Onnx.Cost.ModelCost.Of(model);

        var lod = AssertFactors(model, shape, layers: 1);

        Assert.HasCount(2, PairRewrite.Uses(lod.Model, lod.Pairs[0]));
        Assert.AreEqual(dense, lod.Cost().Dense);
    }

    /// <summary>A Squeeze without axes takes the batch's too where that is 1, so that a matrix in one sample's run is more in another's.</summary>
    [TestMethod]
    public void Factor_AProductBehindASqueezeOfAllThatIsOne_AnswersAtAnyBatch()
    {
        var g = new GraphBuilder("squeeze", seed: 1);
        var rows = new Value(g.Node("Squeeze", [g.Input("x", 3, 1, 8)]).Name, [3, 8]);
        var model = g.Build(g.MatMul(rows, "fc", 4));
        model.Graph.Output[0].Type.TensorType.Shape = null;
        var input = Numbers.Uniform(2 * 24);

        var lod = SvdFactoring.Factor(model, new LodProvenance());

        foreach (var batch in new[] { 1, 2 })
        {
            var x = input[..(batch * 24)];
            Assert.IsLessThan(Rounding, Numbers.LargestDifference(OrtRunner.Run(model, x, batch, 3, 1, 8), OrtRunner.Run(lod.Model, x, batch, 3, 1, 8)));
        }
    }

    [TestMethod]
    [DataRow("Gemm")]
    [DataRow("MatMul")]
    [DataRow("MatMul, weight on the left, two axes")]
    [DataRow("Gemm, weight on the left")]
    [DataRow("Gemm with transA")]
    public void TrainableGraph_OnAPairOfKind_GivesWhatOnnxRuntimeGives(string kind)
    {
        var (model, shape) = kind is "Gemm" or "MatMul" ? Shared(kind) : NodeOfKind(kind);
        var lod = SvdFactoring.Factor(model, new LodProvenance());
        var input = Numbers.Uniform((int)shape.Aggregate(1L, (a, b) => a * b));
        int[] ranks = [2];
        var cut = lod.Model.Clone();
        PairRewrite.Truncate(cut, lod.Pairs[0], 2);

        using var graph = new TrainableGraph(lod);
        using var x = TorchSharp.torch.tensor(input, shape);
        using var full = graph.Forward(x);
        using var atTwo = graph.Forward(x, ranks);

        Assert.IsLessThan(Rounding, Numbers.LargestDifference(OrtRunner.Run(model, input, shape), full.data<float>().ToArray()), "full");
        Assert.IsLessThan(Rounding, Numbers.LargestDifference(OrtRunner.Run(cut, input, shape), atTwo.data<float>().ToArray()), "cut");
    }

    [TestMethod]
    public void Factor_AWeightOfFloat16_KeepsItsTypeThroughSharedWeights()
    {
        using var folder = new TemporaryFolder();
        var model = Linear();
        model.Graph.Initializer[0] = TensorValues.Create("w", [12, 5], Numbers.Uniform(60), DataType.Float16);
        model.Graph.Initializer[1] = TensorValues.Create("fc.bias", [5], Numbers.Uniform(5), DataType.Float16);
        CastAround(model);

        var lod = AssertFactors(model, [3, 12], layers: 1, HalfRounding);
        var cut = new PlanCutter(lod).Cut(Plan(lod, _ => new LayerRank(2)));
        var expected = OrtRunner.Run(cut, Numbers.Uniform(36), 3, 12);
        using (var weights = new SharedWeights(folder["weights.bin"]))
        {
            weights.AddFactor(lod.Model, lod.Pairs[0].V, 4);
            weights.AddFactor(lod.Model, lod.Pairs[0].U, 4);
            weights.Externalise(cut);
        }

        File.WriteAllBytes(folder["cut.onnx"], cut.Proto.ToByteArray());
        Assert.AreEqual(DataType.Float16, lod.Pairs[0].Type(lod.Model));
        CollectionAssert.AreEqual(expected, OrtRunner.RunFile(folder["cut.onnx"], Numbers.Uniform(36), 3, 12));
    }

    [TestMethod]
    public void Factor_AWeightInExternalData_LeavesTheOutputs()
    {
        using var folder = new TemporaryFolder();
        var model = Linear();
        var expected = OrtRunner.Run(model, Numbers.Uniform(36), 3, 12);
        using (var weights = new SharedWeights(folder["data.bin"]))
        {
            weights.Externalise(model);
        }

        File.WriteAllBytes(folder["m.onnx"], model.Proto.ToByteArray());
        var lod = SvdFactoring.Factor(OnnxModel.Load(folder["m.onnx"]), new LodProvenance());

        Assert.IsLessThan(Rounding, Numbers.LargestDifference(expected, OrtRunner.Run(lod.Model, Numbers.Uniform(36), 3, 12)));
    }

    [TestMethod]
    [DataRow("the graph gives it out", "gives its weight out")]
    [DataRow("another node reads it", "reads its weight too")]
    [DataRow("both operands are constants", "both its operands are constants")]
    [DataRow("it has three axes", "its weight has 3 axes")]
    [DataRow("it is of float64", "its weight is float64")]
    [DataRow("it is computed", "two values that are computed")]
    public void Find_AWeightThatMustStay_SaysWhy(string reason, string why)
    {
        var found = WeightLayers.Find(Staying(reason), out var skipped);

        Assert.IsEmpty(found);
        StringAssert.Contains(skipped.Single().Why, why);
    }

    [TestMethod]
    public void Factor_WeightsOfTwoNodesWithEqualContent_ReplacesEachNodeItself()
    {
        var g = new GraphBuilder("twins", seed: 4);
        var x = g.Input("x", 12);
        var model = g.Build(g.Add(g.Linear(x, "a", 5), g.Linear(x, "b", 5)));
        foreach (var node in model.Graph.Node)
        {
            node.Name = "";
        }

        AssertFactors(model, [3, 12], layers: 2);
    }

    // Found, factored, saved and loaded, merged back.
    static LodModel AssertFactors(OnnxModel model, long[] shape, int layers, float tolerance = Rounding)
    {
        using var folder = new TemporaryFolder();
        var input = Numbers.Uniform((int)shape.Aggregate(1L, (a, b) => a * b));
        var expected = OrtRunner.Run(model, input, shape);
        SvdFactoring.Factor(model, new LodProvenance()).Save(folder["m.lod.onnx"]);
        var lod = LodModel.Load(folder["m.lod.onnx"]);

        Assert.HasCount(layers, lod.Pairs);
        Assert.IsLessThan(tolerance, Numbers.LargestDifference(expected, OrtRunner.Run(lod.Model, input, shape)), "factored");
        var merged = new PlanCutter(lod).Cut(Plan(lod, _ => LayerRank.Dense));
        Assert.IsLessThan(tolerance, Numbers.LargestDifference(expected, OrtRunner.Run(merged, input, shape)), "merged");
        Assert.IsEmpty(lod.Model.Graph.Initializer.Where(tensor => !lod.Model.Graph.Node.Any(node => node.Input.Contains(tensor.Name))), "initializers that nobody reads");
        return lod;
    }

    static RankPlan Plan(LodModel lod, Func<FactorPair, LayerRank> rank) => new(lod.Pairs.Select(pair => KeyValuePair.Create(pair.Layer, rank(pair))));

    // Gemm(x [N, 12], w [12, 5], bias).
    static OnnxModel Linear()
    {
        var g = new GraphBuilder("linear", seed: 5);
        var model = g.Build(g.Linear(g.Input("x", 12), "fc", 5));
        model.Graph.Node[0].With("transB", 0).Input[1] = "w";
        model.Graph.Initializer[0] = TensorValues.Create("w", [12, 5], Numbers.Uniform(60));
        return model;
    }

    static void Hide(OnnxModel model, string place, float[] weight)
    {
        model.Graph.Initializer.RemoveAt(0);
        switch (place)
        {
            case "a Constant node":
                Before(model, Constant("w", TensorValues.Create("", [12, 5], weight)));
                break;
            case "Identity":
                Store(model, TensorValues.Create("w0", [12, 5], weight));
                Before(model, Node("Identity", "w", "w0"));
                break;
            case "Transpose":
                Store(model, TensorValues.Create("w0", [5, 12], weight));
                Before(model, Node("Transpose", "w", "w0"));
                break;
            case "Reshape":
                Store(model, TensorValues.Create("w0", [3, 4, 1, 5], weight));
                Before(model, Constant("target", TensorValues.Create("", [2], [-1L, 5])), Node("Reshape", "w", "w0", "target"));
                break;
            case "Squeeze":
                Store(model, TensorValues.Create("w0", [1, 12, 5], weight), TensorValues.Create("axes", [1], [0L]));
                Before(model, Node("Squeeze", "w", "w0", "axes"));
                break;
            case "Unsqueeze, then Flatten":
                Store(model, TensorValues.Create("w0", [12, 5], weight), TensorValues.Create("axes", [1], [1L]));
                Before(model, Node("Unsqueeze", "w1", "w0", "axes"), Node("Flatten", "w", "w1").With("axis", 1));
                break;
            case "Cast from float16":
                Store(model, TensorValues.Create("w0", [12, 5], weight, DataType.Float16));
                Before(model, Node("Cast", "w", "w0").With("to", (long)DataType.Float));
                break;
            case "Cast from float64, Transpose, Reshape":
                var doubles = new TensorProto { Name = "w0", DataType = (int)DataType.Double };
                doubles.Dims.AddRange([5, 4, 3]);
                doubles.DoubleData.AddRange(weight.Select(value => (double)value));
                Store(model, doubles, TensorValues.Create("target", [2], [12L, 5]));
                Before(model, Node("Cast", "w1", "w0").With("to", (long)DataType.Float), Node("Transpose", "w2", "w1").With("perm", 2, 1, 0), Node("Reshape", "w", "w2", "target"));
                break;
            default:
                Store(model, TensorValues.Create("w", [12, 5], weight));
                model.Proto.IrVersion = 3;
                model.Graph.Input.AddRange(model.Graph.Initializer.Select(Listed));
                break;
        }
    }

    static (OnnxModel Model, long[] Shape) NodeOfKind(string kind)
    {
        switch (kind)
        {
            case "MatMul, weight on the left, two axes":
                return (Replaced([12, 3], Node("MatMul", "fc", "w", "x")), [12, 3]);
            case "MatMul, weight on the left, three axes":
                return (Replaced([2, 12, 3], Node("MatMul", "fc", "w", "x")), [2, 12, 3]);
            case "MatMul on one axis":
                return (Replaced([5], Node("MatMul", "fc", "x", "w")), [5]);
            case "Gemm with alpha and beta":
                return (Replaced([3, 5], Node("Gemm", "fc", "x", "w", "fc.bias").With("alpha", 0.5f).With("beta", -2f)), [3, 5]);
            case "Gemm with transA":
                return (Replaced([5, 3], Node("Gemm", "fc", "x", "w", "fc.bias").With("transA", 1)), [5, 3]);
            case "Gemm, weight on the left":
                return (Replaced([12, 12], Node("Gemm", "fc", "w", "x", "fc.bias").With("alpha", 3f)), [12, 12]);
            case "Gemm, weight on the left, both turned":
                return (Replaced([5, 12], Node("Gemm", "fc", "w", "x", "fc.bias").With("transA", 1).With("transB", 1)), [5, 12]);
            case "Gemm of opset 7":
                var gemm = Replaced([3, 5], Node("Gemm", "fc", "x", "w", "fc.bias"));
                gemm.Proto.OpsetImport[0].Version = 7;
                return (gemm, [3, 5]);
            case "MatMul of opset 7":
                var product = Replaced([3, 5], Node("MatMul", "fc", "x", "w"));
                product.Proto.OpsetImport[0].Version = 7;
                return (product, [3, 5]);
            case "Conv of one axis":
                return (Convolution([2, 4, 9], [6, 4, 3]), [2, 4, 9]);
            default:
                return (Convolution([2, 4, 5, 5, 5], [6, 4, 3, 3, 3]), [2, 4, 5, 5, 5]);
        }
    }

    // One node on w [5, 12], or [12, 5] where it is on the left and not turned.
    static OnnxModel Replaced(long[] shape, NodeProto node)
    {
        var left = node.Input[0] == "w";
        var model = Linear();
        model.Graph.Initializer.Clear();
        Store(model, TensorValues.Create("w", left && node.Int("transA", 0) == 0 ? [5, 12] : left ? [12, 5] : [5, 12], Numbers.Uniform(60)));
        if (node.Input.Contains("fc.bias"))
        {
            Store(model, TensorValues.Create("fc.bias", left ? [5, 1] : [12], Numbers.Uniform(left ? 5 : 12)));
        }

        model.Graph.Node.Clear();
        model.Graph.Node.Add(node);
        Describe(model, shape, axesOut: shape.Length);
        return model;
    }

    static OnnxModel Convolution(long[] shape, long[] weight)
    {
        var model = Linear();
        model.Graph.Initializer.Clear();
        Store(model, TensorValues.Create("w", weight, Numbers.Uniform((int)weight.Aggregate(1L, (a, b) => a * b))));
        model.Graph.Node.Clear();
        model.Graph.Node.Add(Node("Conv", "fc", "x", "w").With("strides", [.. weight.Skip(2).Select(_ => 2L)]));
        Describe(model, shape, axesOut: shape.Length);
        return model;
    }

    static (OnnxModel Model, long[] Shape) Shared(string kind)
    {
        var model = Linear();
        model.Graph.Initializer.Clear();
        model.Graph.Node.Clear();
        Store(model, TensorValues.Create("w", [12, 12], Numbers.Uniform(144)));
        long[] shape = [3, 12];
        switch (kind)
        {
            case "Gemm":
                Add(Node("Gemm", "a", "x", "w").With("transB", 1), Node("Relu", "r", "a"), Node("Gemm", "fc", "r", "w").With("transB", 1));
                break;
            case "MatMul":
                shape = [2, 3, 12];
                Add(Node("MatMul", "a", "x", "w"), Node("Relu", "r", "a"), Node("MatMul", "fc", "r", "w"));
                break;
            case "MatMul on two and on three axes":
                Store(model, TensorValues.Create("axes", [1], [0L]));
                Add(Node("MatMul", "a", "x", "w"), Node("Unsqueeze", "r", "a", "axes"), Node("MatMul", "fc", "r", "w"));
                break;
            case "Transpose nodes of their own":
                Add(Node("Transpose", "w1", "w"), Node("MatMul", "a", "x", "w1"), Node("Transpose", "w2", "w"), Node("MatMul", "fc", "a", "w2"));
                break;
            default:
                shape = [2, 4, 9, 9];
                model.Graph.Initializer[0] = TensorValues.Create("w", [4, 4, 3, 3], Numbers.Uniform(144));
                Add(Node("Conv", "a", "x", "w").With("strides", 2, 2), Node("Conv", "fc", "a", "w"));
                break;
        }

        Describe(model, shape, axesOut: kind.Contains("two and on three", StringComparison.Ordinal) ? 3 : shape.Length);
        return (model, shape);

        void Add(params NodeProto[] nodes) => model.Graph.Node.AddRange(nodes);
    }

    static OnnxModel Staying(string reason)
    {
        var model = Linear();
        switch (reason)
        {
            case "the graph gives it out":
                model.Graph.Output.Add(new ValueInfoProto { Name = "w" });
                break;
            case "another node reads it":
                Before(model, Node("Relu", "other", "w"));
                break;
            case "both operands are constants":
                model.Graph.Node[0].Input[0] = "w";
                break;
            case "it has three axes":
                model.Graph.Node[0].OpType = "MatMul";
                model.Graph.Node[0].Input.RemoveAt(2);
                model.Graph.Initializer[0] = TensorValues.Create("w", [2, 12, 5], Numbers.Uniform(120));
                break;
            case "it is of float64":
                var doubles = new TensorProto { Name = "w", DataType = (int)DataType.Double, RawData = ByteString.CopyFrom(new byte[480]) };
                doubles.Dims.AddRange([12, 5]);
                model.Graph.Initializer[0] = doubles;
                break;
            default:
                model.Graph.Node[0].Input[1] = "x";
                break;
        }

        return model;
    }

    static void CastAround(OnnxModel model)
    {
        model.Graph.Node[0].Input[0] = "half";
        model.Graph.Node[0].Output[0] = "answer";
        Before(model, Node("Cast", "half", "x").With("to", (long)DataType.Float16));
        model.Graph.Node[1].Name = "fc.product";
        model.Graph.Node.Add(Node("Cast", "fc", "answer").With("to", (long)DataType.Float));
    }

    static void Describe(OnnxModel model, long[] shape, int axesOut)
    {
        Sizes(model.Graph.Input[0], [.. shape.Select(size => new TensorShapeProto.Types.Dimension { DimValue = size })]);
        Sizes(model.Graph.Output[0], [.. Enumerable.Range(0, axesOut).Select(_ => new TensorShapeProto.Types.Dimension())]);
    }

    static void Sizes(ValueInfoProto value, TensorShapeProto.Types.Dimension[] sizes)
    {
        value.Type.TensorType.Shape.Dim.Clear();
        value.Type.TensorType.Shape.Dim.AddRange(sizes);
    }

    static ValueInfoProto Listed(TensorProto tensor)
    {
        var type = new TypeProto.Types.Tensor { ElemType = tensor.DataType, Shape = new TensorShapeProto() };
        type.Shape.Dim.AddRange(tensor.Dims.Select(size => new TensorShapeProto.Types.Dimension { DimValue = size }));
        return new ValueInfoProto { Name = tensor.Name, Type = new TypeProto { TensorType = type } };
    }

    static void Store(OnnxModel model, params TensorProto[] tensors) => model.Graph.Initializer.AddRange(tensors);

    static void Before(OnnxModel model, params NodeProto[] nodes)
    {
        for (var i = 0; i < nodes.Length; i++)
        {
            model.Graph.Node.Insert(i, nodes[i]);
        }
    }

    static NodeProto Constant(string output, TensorProto tensor)
    {
        var node = Node("Constant", output);
        node.Attribute.Add(new AttributeProto { Name = "value", Type = AttributeProto.Types.AttributeType.Tensor, T = tensor });
        return node;
    }

    static NodeProto Node(string operation, string output, params string[] inputs)
    {
        var node = new NodeProto { OpType = operation, Name = output };
        node.Input.AddRange(inputs);
        node.Output.Add(output);
        return node;
    }
}
