using MaestroDeploy.Onnx;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>Operators that pick elements by their place.</summary>
static class Indexing
{
    /// <summary>Slices of one axis by their indices, such as the rows of an embedding by words.</summary>
    public static Operator Gather(NodeSource source)
    {
        var axis = (int)source.Node.Int("axis", 0);
        return (inputs, _) =>
        {
            Tensor x = inputs[0]!, indices = inputs[1]!;
            var at = axis < 0 ? axis + (int)x.dim() : axis;
            var picked = x.index_select(at, indices.reshape(-1));
            return picked.reshape([.. x.shape[..at], .. indices.shape, .. x.shape[(at + 1)..]]);
        };
    }

    /// <summary>A range of some axes: inputs x, starts, ends, and axes and steps or none. Steps are positive.</summary>
    public static Operator Slice(NodeSource source)
    {
        if (source.Opset < 10)
        {
            throw source.Unsupported($"a Slice of opset {source.Opset}");
        }

        return (inputs, _) =>
        {
            var (starts, ends) = (Longs(inputs[1]!), Longs(inputs[2]!));
            var axes = inputs.Length > 3 && inputs[3] is { } given ? Longs(given) : [.. Enumerable.Range(0, starts.Length).Select(axis => (long)axis)];
            var steps = inputs.Length > 4 && inputs[4] is { } by ? Longs(by) : [.. starts.Select(_ => 1L)];
            if (steps.Any(step => step < 1))
            {
                throw source.Unsupported("a Slice that runs backwards");
            }

            var x = inputs[0]!.alias();
            for (var i = 0; i < starts.Length; i++)
            {
                var size = x.shape[axes[i] < 0 ? axes[i] + x.dim() : axes[i]];
                x = x.slice(axes[i], Within(starts[i], size), Within(ends[i], size), steps[i]);
            }

            return x;
        };

        static long Within(long place, long size) => Math.Clamp(place < 0 ? place + size : place, 0, size);

        static long[] Longs(Tensor values) => values.to(int64).contiguous().data<long>().ToArray();
    }
}
