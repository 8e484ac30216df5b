using MaestroDeploy.Onnx;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>Operators that pick elements by their place.</summary>
static class Indexing
{
    /// <summary>Slices of one axis by their indices, such as the rows of an embedding by words.</summary>
    public static Operator Gather(NodeSource source)
    {
        var axis = source.Node.Int("axis", 0);
        return (inputs, _) =>
        {
            Tensor x = inputs[0]!, indices = inputs[1]!;
            var at = Axes.Of(axis, x);
            var picked = x.index_select(at, Axes.Indices(indices.reshape(-1), x.shape[at]));
            return [picked.reshape([.. x.shape[..at], .. indices.shape, .. x.shape[(at + 1)..]])];
        };
    }

    /// <summary>An element for each index, along one axis.</summary>
    public static Operator GatherElements(NodeSource source)
    {
        var axis = source.Node.Int("axis", 0);
        return (inputs, _) => [inputs[0]!.gather(axis, Axes.Indices(inputs[1]!, inputs[0]!.shape[Axes.Of(axis, inputs[0]!)]))];
    }

    /// <summary>Inputs x and indices [b…, m…, k]: for each, what lies at its k coordinates behind the b axes that both share.</summary>
    public static Operator GatherND(NodeSource source)
    {
        var shared = (int)source.Node.Int("batch_dims", 0);
        return (inputs, _) =>
        {
            Tensor x = inputs[0]!, indices = inputs[1]!;
            var picked = x.shape[(shared + (int)indices.shape[^1])..];
            var rows = x.reshape([-1, .. picked]);
            return [rows.index_select(0, Rows(x, indices, shared)).reshape([.. indices.shape[..^1], .. picked])];
        };
    }

    /// <summary>The place of each index tuple among the rows that x has when its leading axes are made one.</summary>
    public static Tensor Rows(Tensor x, Tensor indices, int shared)
    {
        var (batch, depth) = (Axes.Product(x.shape.AsSpan(..shared)), (int)indices.shape[^1]);
        var tuples = indices.to(int64).reshape(batch, -1, depth);
        var rows = arange(batch, int64).unsqueeze(1).expand(batch, tuples.shape[1]);
        for (var i = 0; i < depth; i++)
        {
            rows = rows * x.shape[shared + i] + Axes.Indices(tuples.select(2, i), x.shape[shared + i]);
        }

        return rows.reshape(-1);
    }

    /// <summary>A range of some axes: starts, ends, axes and steps are inputs since opset 10, attributes before.</summary>
    public static Operator Slice(NodeSource source)
    {
        var (starts, ends, axes, steps) = (source.Longs(1, "starts"), source.Longs(2, "ends"), source.Longs(3, "axes"), source.Longs(4));
        return (inputs, _) =>
        {
            var (from, to) = (starts(inputs) ?? throw source.Unsupported("it has no starts"), ends(inputs) ?? throw source.Unsupported("it has no ends"));
            var (of, by) = (axes(inputs), steps(inputs));
            var x = inputs[0]!.alias();
            for (var i = 0; i < from.Length; i++)
            {
                x = Range(x, Axes.Of(of?[i] ?? i, x), from[i], to[i], by?[i] ?? 1);
            }

            return [x];
        };
    }

    static Tensor Range(Tensor x, int axis, long start, long end, long step)
    {
        var size = x.shape[axis];
        (start, end) = (start < 0 ? start + size : start, end < 0 ? end + size : end);
        return step > 0
            ? x.slice(axis, Math.Clamp(start, 0, size), Math.Clamp(end, 0, size), step)
            : x.slice(axis, Math.Clamp(end, -1, size - 1) + 1, Math.Clamp(start, -1, size - 1) + 1, 1).flip([axis]).slice(axis, 0, size, -step);
    }
}
