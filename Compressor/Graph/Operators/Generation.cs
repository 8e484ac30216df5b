using MaestroDeploy.Onnx;
using static MaestroDeploy.Onnx.Protos.TensorProto.Types;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>Operators that make a tensor from nothing, from a shape, or from a few numbers.</summary>
static class Generation
{
    /// <summary>A tensor in the node itself, or numbers in one of its attributes.</summary>
    public static Operator Constant(NodeSource source)
    {
        var value = source.Node.ConstantTensor() ?? throw source.Unsupported("it is a Constant that is sparse or holds text");
        return (_, _) => [NativeTensor.From(source.Model, value)];
    }

    /// <summary>One value in a shape: input 0.</summary>
    public static Operator ConstantOfShape(NodeSource source)
    {
        var shape = source.Longs(0);
        var value = source.Node.Attribute.FirstOrDefault(attribute => attribute.Name == "value")?.T ?? TensorValues.Create("zero", [1], [0f]);
        return (inputs, _) => [NativeTensor.From(source.Model, value).reshape([]).expand(shape(inputs)!).clone()];
    }

    /// <summary>Ones on a diagonal of a matrix that is shaped as the input, <c>k</c> above the main one.</summary>
    public static Operator EyeLike(NodeSource source)
    {
        var diagonal = source.Node.Int("k", 0);
        var type = source.Node.Int("dtype", 0) is var stated and not 0
            ? TorchTypes.Computed((DataType)stated) ?? throw source.Unsupported($"it makes {(DataType)stated}")
            : (ScalarType?)null;
        return (inputs, _) => [ones(inputs[0]!.shape, type ?? inputs[0]!.dtype).tril(diagonal).triu(diagonal)];
    }

    /// <summary>Inputs indices, depth, and [off, on]: a new axis, on where its place is the index.</summary>
    public static Operator OneHot(NodeSource source)
    {
        var axis = source.Node.Int("axis", -1);
        var depth = source.Longs(1);
        return (inputs, _) =>
        {
            var size = depth(inputs)![0];
            var at = axis < 0 ? axis + inputs[0]!.dim() + 1 : axis;
            var places = arange(size, int64).reshape([size, .. Enumerable.Repeat(1L, (int)(inputs[0]!.dim() - at))]);
            return [where(Axes.Indices(inputs[0]!, size).unsqueeze(at).eq(places), inputs[2]![1], inputs[2]![0])];
        };
    }

    /// <summary>Inputs start, limit and step: numbers from the first to before the second.</summary>
    public static Operator Range(NodeSource source)
    {
        var (start, limit, step) = (source.Doubles(0), source.Doubles(1), source.Doubles(2));
        return (inputs, _) =>
        {
            var (from, to, by) = (start(inputs)![0], limit(inputs)![0], step(inputs)![0]);
            source.Refuse(by == 0, "it runs in steps of 0");
            return [(arange((long)Math.Max(0, Math.Ceiling((to - from) / by)), int64) * by + from).to(inputs[0]!.dtype)];
        };
    }

    /// <summary>Inputs shaped as a matrix or several: what lies above a diagonal, or below it.</summary>
    public static Operator Trilu(NodeSource source)
    {
        var upper = source.Node.Int("upper", 1) != 0;
        var diagonal = source.Longs(1);
        return (inputs, _) =>
        {
            var k = diagonal(inputs)?[0] ?? 0;
            return [upper ? inputs[0]!.triu(k) : inputs[0]!.tril(k)];
        };
    }
}
