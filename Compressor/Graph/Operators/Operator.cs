using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Protos;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>One node, ready to run: inputs in the node's order, null where an optional one was left out.</summary>
/// <remarks>It owns nothing and disposes nothing: the caller's dispose scope frees its temporaries.</remarks>
delegate Tensor Operator(ReadOnlySpan<Tensor?> inputs, ForwardMode mode);

/// <summary>A node as an operator's compiler sees it: its attributes, and those of its inputs that are constants.</summary>
sealed class NodeSource(NodeProto node, OnnxModel model, Func<string, long[]?> constants)
{
    public NodeProto Node => node;

    public long Opset => model.Opset;

    /// <summary>The elements of a constant int64 input.</summary>
    public long[] Constant(int input) => input < node.Input.Count && constants(node.Input[input]) is { } values
        ? values
        : throw Unsupported($"its input {input} is not a constant");

    public UntrainableModelException Unsupported(string why) => new(model.Name, node.Name.Length > 0 ? node.Name : $"{node.OpType} → {node.Output[0]}", why);
}
