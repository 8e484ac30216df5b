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

    public static Operator Transpose(NodeSource source)
    {
        var order = source.Node.Ints("perm");
        return (inputs, _) => inputs[0]!.permute(order ?? [.. Enumerable.Range(0, (int)inputs[0]!.dim()).Select(axis => (long)axis).Reverse()]);
    }
}
