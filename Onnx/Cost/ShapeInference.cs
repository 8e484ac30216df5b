using MaestroDeploy.Onnx.Protos;
using static MaestroDeploy.Onnx.Cost.ShapeRules;

namespace MaestroDeploy.Onnx.Cost;

/// <summary>The output shapes of one node from the shapes of its inputs: which rule serves which operator.</summary>
/// <remarks>
/// Source of each rule: the ONNX operator specifications (docs/Operators.md), of opset 7 and later; of Affine, Crop, ImageScaler, ParametricSoftplus and
/// ScaledTanh, experiments that ONNX took back and ONNX Runtime still runs, ONNX Runtime's own (docs/ContribOperators.md).
/// </remarks>
static class ShapeInference
{
    // One output of the first input's shape.
    static readonly HashSet<string> Keepers =
    [
        "Abs", "Acos", "Acosh", "Affine", "Asin", "Asinh", "Atan", "Atanh", "BatchNormalization", "BitwiseNot", "Cast", "CastLike", "Ceil", "Celu", "Clip", "Cos", "Cosh",
        "CumSum", "DequantizeLinear", "Dropout", "Elu", "Erf", "Exp", "Floor", "Gelu", "GroupNormalization", "HardSigmoid", "HardSwish", "Hardmax", "Identity",
        "ImageScaler", "InstanceNormalization", "IsInf", "IsNaN", "LRN", "LayerNormalization", "LeakyRelu", "Log", "LogSoftmax", "LpNormalization", "MeanVarianceNormalization",
        "Mish", "Neg", "Not", "PRelu", "ParametricSoftplus", "QuantizeLinear", "RMSNormalization", "Reciprocal", "Relu", "ReverseSequence", "Round", "ScaledTanh", "Scatter", "ScatterElements",
        "ScatterND", "Selu", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Softmax", "Softplus", "Softsign", "Sqrt", "Swish", "Tan", "Tanh", "ThresholdedRelu", "Trilu",
    ];

    // One output, to which all inputs are broadcast.
    static readonly HashSet<string> Broadcasters =
    [
        "Add", "And", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Div", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max", "Mean", "Min",
        "Mod", "Mul", "Or", "Pow", "Sub", "Sum", "Where", "Xor",
    ];

    /// <summary>The shapes of a node's first outputs; none where the operator or an input's shape is unknown here.</summary>
    public static IReadOnlyList<long[]> Outputs(NodeProto node, IShapeSource source)
    {
        if (!node.IsStandard())
        {
            return [];
        }

        var inputs = node.Input.Select(source.Shape).ToArray();
        return node.OpType switch
        {
            "Constant" => node.ConstantTensor() is { } tensor ? [[.. tensor.Dims]] : [],
            "Split" => inputs is [{ } x, ..] ? Split(node, x, source) : [],
            "TopK" => inputs is [{ } x, ..] && TopK(node, x, source) is { } kept ? [kept, kept] : [],
            "LSTM" or "GRU" or "RNN" => inputs is [{ } x, _, { } recurrence, ..] ? Recurrent(node, x, recurrence) : [],
            _ => First(node, inputs, source) is { } shape ? [shape] : [],
        };
    }

    static long[]? First(NodeProto node, long[]?[] inputs, IShapeSource source)
    {
        if (Broadcasters.Contains(node.OpType))
        {
            return inputs.Length == 0 ? null : inputs.Aggregate((a, b) => a is null || b is null ? null : Broadcast(a, b));
        }

        if (inputs.Length == 0 || inputs[0] is not { } x)
        {
            return null;
        }

        var second = inputs.Length > 1 ? inputs[1] : null;
        return Keepers.Contains(node.OpType) ? x
            : node.OpType.StartsWith("Reduce", StringComparison.Ordinal) ? Reduce(node, x, source)
            : second is null ? Unary(node, x, inputs, source) : Binary(node, x, second) ?? Unary(node, x, inputs, source);
    }

    static long[]? Binary(NodeProto node, long[] x, long[] second) => node.OpType switch
    {
        "Conv" => second.Length > 2 ? Windowed(node, x, channels: second[0], kernel: second[2..]) : null,
        "ConvTranspose" => TransposedConvolution(node, x, second),
        "Gather" => Gather(x, second, node.Int("axis", 0)),
        "GatherElements" => second,
        "GatherND" => GatherPlaces(x, second, node.Int("batch_dims", 0)),
        "Gemm" => Gemm(node, x, second),
        "MatMul" => MatMul(x, second),
        _ => null,
    };

    static long[]? Unary(NodeProto node, long[] x, long[]?[] inputs, IShapeSource source) => node.OpType switch
    {
        "ArgMax" or "ArgMin" => ReduceAxes(x, [node.Int("axis", 0)], node.Int("keepdims", 1) != 0),
        "MaxPool" or "AveragePool" or "LpPool" => x.Length > 2 ? Windowed(node, x, channels: x[1], kernel: node.Ints("kernel_shape") ?? []) : null,
        "GlobalAveragePool" or "GlobalMaxPool" or "GlobalLpPool" => x.Length > 2 ? [x[0], x[1], .. Enumerable.Repeat(1L, x.Length - 2)] : null,
        "Concat" => Concat(inputs, node.Int("axis", 0)),
        "ConstantOfShape" => Operand(node, 0, source),
        "Crop" => Crop(node, x),
        "DepthToSpace" => Blocks(x, node.Int("blocksize", 0), deeper: false),
        "SpaceToDepth" => Blocks(x, node.Int("blocksize", 0), deeper: true),
        "Expand" => Operand(node, 1, source) is { } wanted ? Broadcast(x, wanted) : null,
        "Flatten" => Flatten(x, node.Int("axis", 1)),
        "OneHot" => Operand(node, 1, source) is [var depth] ? OneHot(x, depth, node.Int("axis", -1)) : null,
        "Pad" => Pad(node, x, source),
        "Reshape" => Operand(node, 1, source) is { } target ? Reshape(x, target, node.Int("allowzero", 0) != 0) : null,
        "Resize" or "Upsample" => Resize(node, x, source),
        "Shape" => [SizesOf(node, x).Length],
        "Size" => [],
        "Slice" => Slice(node, x, source),
        "Squeeze" => Squeeze(node, x, source),
        "Tile" => Operand(node, 1, source) is { } times && times.Length == x.Length ? [.. x.Zip(times, Sizes.Times)] : null,
        "Transpose" => Transpose(x, node.Ints("perm") ?? [.. Enumerable.Range(0, x.Length).Select(axis => (long)axis).Reverse()]),
        "Unsqueeze" => Axes(node, source) is { } axes ? Unsqueeze(x, axes) : null,
        _ => null,
    };
}
