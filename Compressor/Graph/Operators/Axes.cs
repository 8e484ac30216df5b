using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>Axes and places on them, which ONNX may count from their end.</summary>
static class Axes
{
    /// <summary>An axis of a tensor, 0 to its axes less one.</summary>
    public static int Of(long axis, Tensor x) => (int)(axis < 0 ? axis + x.dim() : axis);

    /// <summary>All axes from one on.</summary>
    public static long[] From(int first, Tensor x) => [.. Enumerable.Range(first, (int)x.dim() - first).Select(axis => (long)axis)];

    /// <summary>The given axes; all, where none are given.</summary>
    public static long[] OrAll(long[]? axes, Tensor x) => axes is { Length: > 0 } ? [.. axes.Select(axis => (long)Of(axis, x))] : From(0, x);

    /// <summary>The product of some sizes; 1 of none.</summary>
    public static long Product(ReadOnlySpan<long> sizes)
    {
        var product = 1L;
        foreach (var size in sizes)
        {
            product *= size;
        }

        return product;
    }

    /// <summary>Indices into an axis of some size, int64, with those that count from its end made to count from its start.</summary>
    public static Tensor Indices(Tensor indices, long size)
    {
        var whole = indices.to(int64);
        return whole + whole.lt(0) * size;
    }
}
