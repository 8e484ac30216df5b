using MaestroDeploy.Onnx;
using TorchSharp;
using static MaestroDeploy.Onnx.Protos.TensorProto.Types;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>Operators on each element by itself, with broadcasting: arithmetic, logic and types.</summary>
static class Elementwise
{
    /// <summary>A function of one tensor.</summary>
    public static OperatorEntry Unary(Func<Tensor, Tensor> function) => new(1, _ => (inputs, _) => [function(inputs[0]!)]);

    /// <summary>A function of two tensors; before opset 7 a node could name the axis of the first that the second starts at.</summary>
    public static OperatorEntry Binary(Func<Tensor, Tensor, Tensor> function) => new(2, source =>
    {
        var startsAtAxis = source.Opset < 7 && source.Node.Int("broadcast", 0) != 0 && source.Node.Ints("axis") is not null;
        var axis = source.Node.Int("axis", 0);
        return startsAtAxis
            ? (inputs, _) => [function(inputs[0]!, From(Axes.Of(axis, inputs[0]!), inputs[1]!, inputs[0]!))]
            : (inputs, _) => [function(inputs[0]!, inputs[1]!)];

        static Tensor From(int axis, Tensor b, Tensor a) => b.reshape([.. b.shape, .. Enumerable.Repeat(1L, (int)(a.dim() - axis - b.dim()))]);
    });

    /// <summary>A function of two tensors, taken over any number of them from left to right.</summary>
    public static OperatorEntry Fold(Func<Tensor, Tensor, Tensor> function) => new(1, _ => (inputs, _) => [Folded(inputs, function)]);

    public static Operator Mean(NodeSource source) => (inputs, _) => [Folded(inputs, (a, b) => a + b) / inputs.Length];

    /// <summary>Of whole numbers, the quotient towards zero.</summary>
    public static Tensor Div(Tensor a, Tensor b) => a.is_floating_point() ? a / b : a.div(b, RoundingMode.trunc);

    /// <summary>The remainder: of the divisor's sign, or with fmod of the dividend's.</summary>
    public static Operator Mod(NodeSource source) => source.Node.Int("fmod", 0) != 0
        ? (inputs, _) => [inputs[0]!.fmod(inputs[1]!)]
        : (inputs, _) => [inputs[0]!.remainder(inputs[1]!)];

    /// <summary>A power, in the type of its base.</summary>
    public static Operator Pow(NodeSource source)
    {
        var exponents = source.Doubles(1);
        return (inputs, _) => exponents(inputs) is [var exponent]
            ? [inputs[0]!.pow(exponent).to(inputs[0]!.dtype)]
            : [inputs[0]!.pow(inputs[1]!).to(inputs[0]!.dtype)];
    }

    /// <summary>Limits to a least and a greatest value: attributes before opset 11, inputs since.</summary>
    public static Operator Clip(NodeSource source)
    {
        if (source.Opset < 11)
        {
            Scalar low = source.Node.Float("min", float.MinValue), high = source.Node.Float("max", float.MaxValue);
            return (inputs, _) => [inputs[0]!.clamp(low, high)];
        }

        var (least, greatest) = (source.Doubles(1), source.Doubles(2));
        return (inputs, _) =>
        {
            var x = inputs[0]!.alias();
            x = least(inputs) is { } low ? x.clamp_min(Bound(low[0], x)) : x;
            return [greatest(inputs) is { } high ? x.clamp_max(Bound(high[0], x)) : x];
        };

        static Scalar Bound(double value, Tensor x) => x.is_floating_point() ? value : (long)value;
    }

    /// <summary>Infinite elements, of both signs or of one.</summary>
    public static Operator IsInf(NodeSource source)
    {
        var (negative, positive) = (source.Node.Int("detect_negative", 1) != 0, source.Node.Int("detect_positive", 1) != 0);
        return (inputs, _) =>
        {
            var x = inputs[0]!;
            return [x.isinf().logical_and((negative ? x.lt(0) : zeros_like(x, @bool)).logical_or(positive ? x.gt(0) : zeros_like(x, @bool)))];
        };
    }

    /// <summary>To another type; to half precision is to float32 here.</summary>
    public static Operator Cast(NodeSource source)
    {
        var to = (DataType)source.Node.Int("to", 0);
        var type = TorchTypes.Computed(to) ?? throw source.Unsupported($"a cast to {to}");
        return (inputs, _) => [inputs[0]!.to(type)];
    }

    static Tensor Folded(ReadOnlySpan<Tensor?> inputs, Func<Tensor, Tensor, Tensor> function)
    {
        var result = inputs[0]!.alias();
        for (var i = 1; i < inputs.Length; i++)
        {
            result = function(result, inputs[i]!);
        }

        return result;
    }
}
