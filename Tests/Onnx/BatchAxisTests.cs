using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Build;
using MaestroDeploy.Onnx.Cost;
using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Tests.Onnx;

[TestClass]
public sealed class BatchAxisTests
{
    const int Batch = 3;
    const float Rounding = 1e-5f; // the same arithmetic on the same numbers, in another order at most

    [TestMethod]
    [DataRow("all sizes stated")]
    [DataRow("the rest is open")]
    [DataRow("the batch within the first axis")]
    [DataRow("behind a transpose")]
    [DataRow("behind a transpose, with the rest open")]
    public void OpenBatchAxis_AReshapeFixesTheBatch_GivesEachSampleItsOwnAnswer(string kind)
    {
        var model = Model(kind);
        var input = Numbers.Uniform(Batch * 24);
        float[] expected = [.. input.Chunk(24).SelectMany(sample => OrtRunner.Run(model, sample, 1, 4, 6))];

        model.OpenBatchAxis();

        Assert.IsLessThan(Rounding, Numbers.LargestDifference(expected, OrtRunner.Run(model, input, Batch, 4, 6)));
    }

    [TestMethod]
    public void OpenBatchAxis_AnOldFileThatListsItsInitializers_TakesNoInputMoreThanBefore()
    {
        var model = Model("all sizes stated");
        model.Graph.Input.AddRange(model.Graph.Initializer.Select(tensor => Stated(tensor.Name, [.. tensor.Dims])));
        foreach (var (listed, tensor) in model.Graph.Input.Skip(1).Zip(model.Graph.Initializer))
        {
            listed.Type.TensorType.ElemType = tensor.DataType;
        }

        model.Proto.IrVersion = 3;
        var before = model.Inputs.Count();

        model.OpenBatchAxis();

        Assert.AreEqual(before, model.Inputs.Count());
        OrtRunner.Run(model, Numbers.Uniform(Batch * 24), Batch, 4, 6);
    }

    /// <summary>ONNX Runtime optimises for what a file states of its inner values, true or not.</summary>
    [TestMethod]
    [DataRow("all sizes stated")]
    [DataRow("the rest is open")]
    [DataRow("the batch within the first axis")]
    [DataRow("behind a transpose")]
    [DataRow("behind a transpose, with the rest open")]
    public void OpenBatchAxis_InnerShapesAreStated_WhatStaysHoldsForAnyBatch(string kind)
    {
        var model = Model(kind);
        var atOne = Shapes.Of(model);
        model.Graph.ValueInfo.AddRange(model.Graph.Node.SelectMany(node => node.Output).Select(name => Stated(name, atOne[name]!)));

        model.OpenBatchAxis();

        var atBatch = Shapes.Of(AtBatch(model));
        foreach (var value in model.Graph.ValueInfo.Where(value => value.Type.TensorType.Shape is not null))
        {
            var sizes = value.Type.TensorType.Shape.Dim.Zip(atBatch[value.Name]!).Where(axis => axis.First.HasDimValue);
            CollectionAssert.AreEqual(sizes.Select(axis => axis.Second).ToArray(), sizes.Select(axis => axis.First.DimValue).ToArray(), value.Name);
        }
    }

    [TestMethod]
    public void OpenBatchAxis_AnInnerShapeBeginsWithTheBatch_KeepsItsOtherSizes()
    {
        var g = new GraphBuilder("model", seed: 1);
        var hidden = g.Linear(g.Reshape(g.Input("x", 4, 6), 1, 24), "fc", 2);
        var model = Fixed(g.Build(g.Relu(hidden)));
        model.Graph.ValueInfo.Add(Stated(hidden.Name, [1, 2]));

        model.OpenBatchAxis();

        var axes = model.Graph.ValueInfo.Single().Type.TensorType.Shape.Dim;
        Assert.IsFalse(axes[0].HasDimValue);
        Assert.AreEqual(2, axes[1].DimValue);
    }

    [TestMethod]
    public void OpenBatchAxis_ABranchReadsTheSizesToo_StaysWhole()
    {
        var model = Model("all sizes stated");
        var sizes = model.Graph.Node.First(node => node.OpType == "Reshape").Input[1];
        model.Graph.Initializer.Add(new TensorProto { Name = "condition", DataType = (int)TensorProto.Types.DataType.Bool, RawData = Google.Protobuf.ByteString.CopyFrom(1) });
        model.Graph.Node.Add(Nodes.Create("If", "choice", "chosen", "condition"));
        foreach (var branch in new[] { "then_branch", "else_branch" })
        {
            var body = new GraphProto { Name = branch };
            body.Node.Add(Nodes.Create("Identity", branch, $"{branch}.sizes", sizes));
            body.Output.Add(new ValueInfoProto { Name = $"{branch}.sizes", Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)TensorProto.Types.DataType.Int64 } } });
            model.Graph.Node[^1].Attribute.Add(new AttributeProto { Name = branch, Type = AttributeProto.Types.AttributeType.Graph, G = body });
        }

        model.OpenBatchAxis();

        OrtRunner.Run(model, Numbers.Uniform(Batch * 24), Batch, 4, 6);
    }

    [TestMethod]
    public void OpenBatchAxis_AReshapeOfAWeight_StaysAsItIs()
    {
        var g = new GraphBuilder("model", seed: 1);
        var weight = g.Reshape(g.Table("table", 6, 8), 1, 6, 8);
        var model = Fixed(g.Build(g.Node("MatMul", [g.Input("x", 4, 6), weight])));
        var before = model.Graph.Node.Clone();

        model.OpenBatchAxis();

        CollectionAssert.AreEqual(before.ToArray(), model.Graph.Node.ToArray());
    }

    [TestMethod]
    public void OpenBatchAxis_TheSizesDoNotTellTheBatch_StaysAsItIs()
    {
        var g = new GraphBuilder("model", seed: 1);
        var turned = g.Node("Transpose", [g.Input("x", 4, 6)], node => node.With("perm", 1, 0, 2)); // [4, N, 6]
        var model = Fixed(g.Build(g.Reshape(turned, 3, 8))); // no entry starts behind 4 elements
        var before = model.Graph.Node.Clone();

        model.OpenBatchAxis();

        CollectionAssert.AreEqual(before.ToArray(), model.Graph.Node.ToArray());
    }

    /// <summary>Opened, an attention whose export left the batch out would compare the words of one sample with those of another.</summary>
    [TestMethod]
    public void OpenBatchAxis_SamplesWouldMix_StaysAsItIs()
    {
        var g = new GraphBuilder("model", seed: 1);
        var words = g.Reshape(g.Input("x", 4, 6), 4, 6); // [words, width]: the batch of 1 is gone
        var likeness = g.Node("MatMul", [words, g.Node("Transpose", [words], node => node.With("perm", 1, 0))]);
        var model = Fixed(g.Build(g.Node("MatMul", [g.Softmax(likeness), words])));
        var before = model.Graph.Node.Clone();

        model.OpenBatchAxis();

        CollectionAssert.AreEqual(before.ToArray(), model.Graph.Node.ToArray());
    }

    static OnnxModel Model(string kind)
    {
        var g = new GraphBuilder("model", seed: 1);
        var x = g.Input("x", 4, 6);
        return Fixed(g.Build(kind switch
        {
            "all sizes stated" => g.Linear(g.Reshape(x, 1, 24), "fc", 2),
            "the rest is open" => g.Linear(g.Node("Reshape", [x, g.Constant(1, -1)]), "fc", 2),
            // A shuffle of channels as ShuffleNet is exported: [1, 4, 6] → [2, 2, 6] → [2, 2, 6] → [2, 1, 2, 6].
            "the batch within the first axis" => Transpose(g, g.Reshape(Transpose(g, g.Reshape(x, 2, 2, 6), 1, 0, 2), 2, 1, 2, 6), 1, 0, 2, 3),
            "behind a transpose" => Transpose(g, g.Reshape(Transpose(g, x, 1, 0, 2), 4, 3, 2), 1, 0, 2),
            _ => Transpose(g, g.Node("Reshape", [Transpose(g, x, 1, 0, 2), g.Constant(4, 1, -1)]), 1, 0, 2),
        }));
    }

    static Value Transpose(GraphBuilder g, Value x, params long[] order) => g.Node("Transpose", [x], node => node.With("perm", order));

    static ValueInfoProto Stated(string name, IEnumerable<long> sizes)
    {
        var shape = new TensorShapeProto { Dim = { sizes.Select(size => new TensorShapeProto.Types.Dimension { DimValue = size }) } };
        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = new() { ElemType = (int)TensorProto.Types.DataType.Float, Shape = shape } } };
    }

    // Its shapes are those that its nodes give, not those that it states.
    static OnnxModel AtBatch(OnnxModel model)
    {
        var copy = model.Clone();
        copy.Graph.Input[0].Type.TensorType.Shape.Dim[0] = new TensorShapeProto.Types.Dimension { DimValue = Batch };
        copy.Graph.ValueInfo.Clear();
        return copy;
    }

    static OnnxModel Fixed(OnnxModel model)
    {
        foreach (var value in model.Graph.Input.Concat(model.Graph.Output))
        {
            value.Type.TensorType.Shape.Dim[0] = new TensorShapeProto.Types.Dimension { DimValue = 1 };
        }

        foreach (var output in model.Graph.Output)
        {
            output.Type.TensorType.Shape = null;
        }

        return model;
    }
}
