using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Tests;

/// <summary>Classifiers that answer with the number of a class, as many are deployed.</summary>
static class ClassesOnly
{
    /// <summary>A copy of a model that gives <c>class int64 [N]</c>, where its scores are largest, in the place of its scores.</summary>
    public static OnnxModel Of(OnnxModel model)
    {
        var copy = model.Clone();
        var argMax = Nodes.Create("ArgMax", "argmax", "class", copy.Graph.Output[0].Name).With("axis", 1).With("keepdims", 0);
        copy.Graph.Node.Add(argMax);
        var batch = new TensorShapeProto { Dim = { new TensorShapeProto.Types.Dimension { DimParam = "N" } } };
        copy.Graph.Output.Clear();
        copy.Graph.Output.Add(new ValueInfoProto
        {
            Name = "class",
            Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)TensorProto.Types.DataType.Int64, Shape = batch } },
        });
        return copy;
    }
}
