using MaestroDeploy.Onnx;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>Operators that keep the shape, or broadcast.</summary>
static class Elementwise
{
    public static Tensor Add(ReadOnlySpan<Tensor?> inputs, ForwardMode mode) => inputs[0]! + inputs[1]!;

    public static Tensor Identity(ReadOnlySpan<Tensor?> inputs, ForwardMode mode) => inputs[0]!.alias();

    public static Tensor Relu(ReadOnlySpan<Tensor?> inputs, ForwardMode mode) => inputs[0]!.relu();

    /// <summary>Softmax over one axis; before opset 13 it flattened from that axis on, which is the same only for the last.</summary>
    public static Operator Softmax(NodeSource source)
    {
        var axis = source.Node.Int("axis", source.Opset >= 13 ? -1 : 1);
        return source.Opset >= 13
            ? (inputs, _) => inputs[0]!.softmax(axis)
            : (inputs, _) => axis == -1 || axis == inputs[0]!.dim() - 1
                ? inputs[0]!.softmax(-1)
                : throw source.Unsupported($"a Softmax of opset {source.Opset} over axis {axis} of {inputs[0]!.dim()}");
    }
}
