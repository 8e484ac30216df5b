using MaestroDeploy.Onnx;
using static MaestroDeploy.Onnx.Protos.TensorProto.Types;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>Operators that keep the shape, or broadcast.</summary>
static class Elementwise
{
    public static Tensor Add(ReadOnlySpan<Tensor?> inputs, ForwardMode mode) => inputs[0]! + inputs[1]!;

    public static Tensor Sub(ReadOnlySpan<Tensor?> inputs, ForwardMode mode) => inputs[0]! - inputs[1]!;

    public static Tensor Mul(ReadOnlySpan<Tensor?> inputs, ForwardMode mode) => inputs[0]! * inputs[1]!;

    public static Tensor Div(ReadOnlySpan<Tensor?> inputs, ForwardMode mode) => inputs[0]! / inputs[1]!;

    public static Tensor Equal(ReadOnlySpan<Tensor?> inputs, ForwardMode mode) => inputs[0]!.eq(inputs[1]!);

    /// <summary>To float32, int64 or bool.</summary>
    public static Operator Cast(NodeSource source)
    {
        var to = (DataType)source.Node.Int("to", 0);
        var type = to switch
        {
            DataType.Float => float32,
            DataType.Int64 => int64,
            DataType.Bool => @bool,
            _ => throw source.Unsupported($"a cast to {to}"),
        };
        return (inputs, _) => inputs[0]!.to(type);
    }

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
