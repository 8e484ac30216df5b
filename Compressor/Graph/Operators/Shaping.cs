using MaestroDeploy.Onnx;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>Operators that move no number, only the axes.</summary>
static class Shaping
{
    public static Operator Flatten(NodeSource source)
    {
        var axis = source.Node.Int("axis", 1);
        return (inputs, _) =>
        {
            var x = inputs[0]!;
            var at = Axes.Of(axis, x);
            return [x.reshape(Axes.Product(x.shape.AsSpan(..at)), Axes.Product(x.shape.AsSpan(at..)))];
        };
    }

    /// <summary>Inputs x and the sizes; 0 keeps a size of x, and one may be −1 for what is left.</summary>
    public static Operator Reshape(NodeSource source)
    {
        var target = source.Longs(1, "shape");
        var zeroIsZero = source.Node.Int("allowzero", 0) != 0;
        return (inputs, _) =>
        {
            var (x, sizes) = (inputs[0]!, target(inputs) ?? throw source.Unsupported("it has no sizes"));
            return [x.reshape([.. sizes.Select((size, axis) => size == 0 && !zeroIsZero ? x.shape[axis] : size)])];
        };
    }

    /// <summary>The sizes of some axes, int64.</summary>
    public static Operator Shape(NodeSource source)
    {
        var (start, end) = ((int)source.Node.Int("start", 0), (int)source.Node.Int("end", int.MaxValue));
        return (inputs, _) =>
        {
            var sizes = inputs[0]!.shape;
            return [NativeTensor.From(sizes.AsSpan(At(start, sizes.Length)..Math.Max(At(start, sizes.Length), At(end, sizes.Length))))];
        };

        static int At(int axis, int axes) => Math.Clamp(axis < 0 ? axis + axes : axis, 0, axes);
    }

    public static Tensor Size(Tensor x) => tensor(x.numel(), int64);

    /// <summary>New axes of size 1: an attribute before opset 13, an input since.</summary>
    public static Operator Unsqueeze(NodeSource source)
    {
        var axes = source.Longs(1, "axes");
        return (inputs, _) =>
        {
            var (x, added) = (inputs[0]!, axes(inputs) ?? throw source.Unsupported("it has no axes"));
            var count = x.dim() + added.Length;
            return [added.Select(axis => axis < 0 ? axis + count : axis).Order().Aggregate(x.alias(), (y, axis) => y.unsqueeze(axis))];
        };
    }

    /// <summary>Without some axes of size 1, or without all of them.</summary>
    public static Operator Squeeze(NodeSource source)
    {
        var axes = source.Longs(1, "axes");
        return (inputs, _) =>
        {
            var x = inputs[0]!;
            int[] removed = [.. axes(inputs)?.Select(axis => Axes.Of(axis, x)) ?? Enumerable.Range(0, (int)x.dim()).Where(axis => x.shape[axis] == 1)];
            source.Refuse(removed.Any(axis => x.shape[axis] != 1), $"of [{string.Join(", ", x.shape)}], it removes an axis that is longer than 1");
            return [removed.OrderDescending().Aggregate(x.alias(), (y, axis) => y.squeeze(axis))];
        };
    }

    public static Operator Transpose(NodeSource source)
    {
        var order = source.Node.Ints("perm");
        return (inputs, _) => [inputs[0]!.permute(order ?? [.. Axes.From(0, inputs[0]!).Reverse()])];
    }

    /// <summary>Inputs x and a shape that it is broadcast with, both ways.</summary>
    public static Operator Expand(NodeSource source)
    {
        var target = source.Longs(1);
        return (inputs, _) =>
        {
            var (x, shape) = (inputs[0]!, target(inputs)!);
            var axes = Math.Max(x.shape.Length, shape.Length);
            long[] own = [.. Enumerable.Repeat(1L, axes - x.shape.Length), .. x.shape], wanted = [.. Enumerable.Repeat(1L, axes - shape.Length), .. shape];
            return [x.expand([.. own.Zip(wanted, (a, b) => b == 1 ? a : b)])];
        };
    }

    /// <summary>The input, in training too: what is trained here is regularised by its ranks. The mask keeps all.</summary>
    public static Operator Dropout(NodeSource source) => source.IsWanted(1)
        ? (inputs, _) => [inputs[0]!.alias(), ones_like(inputs[0]!, @bool)]
        : (inputs, _) => [inputs[0]!.alias()];

    /// <summary>[N, C·b², H, W] → [N, C, H·b, W·b]: a pixel's channels become a block of pixels.</summary>
    public static Operator DepthToSpace(NodeSource source)
    {
        var block = source.Node.Int("blocksize", 1);
        var columnsFirst = source.Node.Text("mode", "DCR") == "CRD";
        return (inputs, _) =>
        {
            var x = inputs[0]!;
            var (n, c, h, w) = (x.shape[0], x.shape[1] / (block * block), x.shape[2], x.shape[3]);
            var apart = columnsFirst
                ? x.reshape(n, c, block, block, h, w).permute(0, 1, 4, 2, 5, 3)
                : x.reshape(n, block, block, c, h, w).permute(0, 3, 4, 1, 5, 2);
            return [apart.reshape(n, c, h * block, w * block)];
        };
    }

    /// <summary>[N, C, H·b, W·b] → [N, b²·C, H, W].</summary>
    public static Operator SpaceToDepth(NodeSource source)
    {
        var block = source.Node.Int("blocksize", 1);
        return (inputs, _) =>
        {
            var x = inputs[0]!;
            var (n, c, h, w) = (x.shape[0], x.shape[1], x.shape[2] / block, x.shape[3] / block);
            return [x.reshape(n, c, h, block, w, block).permute(0, 3, 5, 1, 2, 4).reshape(n, c * block * block, h, w)];
        };
    }
}
