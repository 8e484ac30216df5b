using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Onnx.Cost;

/// <summary>The numbers that a model learnt, in its main graph and in the bodies of its nodes.</summary>
static class LearntTensors
{
    // A Constant node may hold a weight, where the exporter has no initializers, or only a number that a formula needs.
    static readonly HashSet<string> Readers =
        ["BatchNormalization", "Conv", "ConvTranspose", "GRU", "Gemm", "InstanceNormalization", "LSTM", "LayerNormalization", "MatMul", "PRelu", "RNN"];

    /// <summary>Elements of all of them.</summary>
    public static long Count(OnnxModel model) => Sizes.Sum(Of(model.Graph, new ConstantValues(model)).Select(ElementTypes.Count));

    static IEnumerable<TensorProto> Of(GraphProto graph, ConstantValues? constants)
    {
        var statistics = graph.Node.Where(node => node.OpType == "BatchNormalization").SelectMany(node => node.Input.Skip(3)).ToHashSet();
        var read = graph.Node.Where(node => Readers.Contains(node.OpType)).SelectMany(node => node.Input)
            .Select(input => constants?.Find(input)?.RootName ?? input).ToHashSet();
        var held = graph.Node.Where(node => node.OpType == "Constant" && node.Output.Any(read.Contains))
            .Select(node => (Name: node.Output[0], Tensor: node.ConstantTensor()))
            .Where(one => one.Tensor is not null && ElementTypes.Count(one.Tensor) > 1);
        return graph.Initializer.Select(tensor => (tensor.Name, Tensor: (TensorProto?)tensor)).Concat(held)
            .Where(one => one.Tensor is not null && ElementTypes.IsFloat(one.Tensor.DataType) && !statistics.Contains(one.Name))
            .Select(one => one.Tensor!)
            .Concat(graph.Node.SelectMany(node => node.Bodies()).SelectMany(body => Of(body, constants: null)));
    }
}
