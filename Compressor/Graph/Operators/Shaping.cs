using MaestroDeploy.Onnx;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>Operators that move no number, only the axes.</summary>
static class Shaping
{
    public static Operator Flatten(NodeSource source)
    {
        var axis = (int)source.Node.Int("axis", 1);
        return (inputs, _) =>
        {
            var x = inputs[0]!;
            var at = axis < 0 ? axis + (int)x.dim() : axis;
            return x.reshape(x.shape[..at].Aggregate(1L, (product, size) => product * size), x.shape[at..].Aggregate(1L, (product, size) => product * size));
        };
    }

    public static Operator Reshape(NodeSource source)
    {
        var target = source.Constant(1);
        var zeroIsZero = source.Node.Int("allowzero", 0) != 0;
        return (inputs, _) =>
        {
            var x = inputs[0]!;
            return x.reshape([.. target.Select((size, axis) => size == 0 && !zeroIsZero ? x.shape[axis] : size)]);
        };
    }

    /// <summary>The sizes of some axes, int64.</summary>
    public static Operator Shape(NodeSource source)
    {
        var (start, end) = ((int)source.Node.Int("start", 0), (int)source.Node.Int("end", int.MaxValue));
        return (inputs, _) =>
        {
            var sizes = inputs[0]!.shape;
            return NativeTensor.From(sizes.AsSpan(At(start, sizes.Length)..Math.Max(At(start, sizes.Length), At(end, sizes.Length))));
        };

        static int At(int axis, int axes) => Math.Clamp(axis < 0 ? axis + axes : axis, 0, axes);
    }

    /// <summary>New axes of size 1; before opset 13 they were an attribute.</summary>
    public static Operator Unsqueeze(NodeSource source)
    {
        var axes = source.Opset >= 13 ? source.Constant(1) : source.Node.Ints("axes") ?? throw source.Unsupported("it has no axes");
        return (inputs, _) =>
        {
            var x = inputs[0]!;
            var count = x.dim() + axes.Length;
            return axes.Select(axis => axis < 0 ? axis + count : axis).Order().Aggregate(x.alias(), (y, axis) => y.unsqueeze(axis));
        };
    }

    public static Operator Transpose(NodeSource source)
    {
        var order = source.Node.Ints("perm");
        return (inputs, _) => inputs[0]!.permute(order ?? [.. Enumerable.Range(0, (int)inputs[0]!.dim()).Select(axis => (long)axis).Reverse()]);
    }
}
