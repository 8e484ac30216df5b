using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Onnx.Cost;

/// <summary>The output shape of one node from the shapes of its inputs, for the operators that costs are counted through.</summary>
/// <remarks>Source of each rule: the ONNX operator specifications (docs/Operators.md).</remarks>
static class ShapeInference
{
    /// <summary>The shape of a node's first output, or null where the operator or an input's shape is unknown here.</summary>
    /// <param name="node">The node.</param>
    /// <param name="shapeOf">The shape of a value, or null.</param>
    /// <param name="constantOf">The elements of a constant int64 value, or null.</param>
    public static long[]? Output(NodeProto node, Func<string, long[]?> shapeOf, Func<string, long[]?> constantOf)
    {
        if (node.OpType == "Constant")
        {
            return node.Attribute.FirstOrDefault(attribute => attribute.T is not null)?.T.Dims.ToArray();
        }

        if (node.Input.Count == 0 || shapeOf(node.Input[0]) is not { } x)
        {
            return null;
        }

        long[]? second = node.Input.Count > 1 ? shapeOf(node.Input[1]) : null;
        return node.OpType switch
        {
            "Relu" or "Softmax" or "LogSoftmax" or "Identity" or "BatchNormalization" or "Sigmoid" or "Tanh" or "LeakyRelu"
                or "Clip" or "Dropout" or "Cast" or "Erf" or "Gelu" or "LayerNormalization" or "Sqrt" or "Neg" or "Exp" => x,
            "Add" or "Sub" or "Mul" or "Div" or "Pow" or "Equal" => second is null ? null : Broadcast(x, second),
            "Conv" => second is { Length: > 2 } ? Windowed(node, x, channels: second[0], kernel: second[2..]) : null,
            "MaxPool" or "AveragePool" => x.Length > 2 ? Windowed(node, x, channels: x[1], kernel: node.Ints("kernel_shape") ?? []) : null,
            "GlobalAveragePool" or "GlobalMaxPool" => x.Length > 2 ? [x[0], x[1], .. Enumerable.Repeat(1L, x.Length - 2)] : null,
            "Flatten" => Flatten(x, node.Int("axis", 1)),
            "Gather" => second is null ? null : Gather(x, second, node.Int("axis", 0)),
            "Gemm" => second is null ? null : Gemm(node, x, second),
            "MatMul" => second is null ? null : MatMul(x, second),
            "Reshape" => node.Input.Count > 1 && constantOf(node.Input[1]) is { } target ? Reshape(x, target, node.Int("allowzero", 0) != 0) : null,
            "Shape" => [SizesOf(node, x).Length],
            "Slice" => Slice(node, x, constantOf),
            "Unsqueeze" => (node.Ints("axes") ?? (node.Input.Count > 1 ? constantOf(node.Input[1]) : null)) is { } axes ? Unsqueeze(x, axes) : null,
            "Transpose" => Transpose(x, node.Ints("perm") ?? [.. Enumerable.Range(0, x.Length).Select(axis => (long)axis).Reverse()]),
            _ => null,
        };
    }

    /// <summary>What a Shape node gives for an input of known shape: its sizes from start to end.</summary>
    public static long[] SizesOf(NodeProto node, long[] x)
    {
        var (start, end) = (Place(node.Int("start", 0), x.Length), Place(node.Int("end", x.Length), x.Length));
        return x[(int)start..(int)Math.Max(start, end)];
    }

    /// <summary>The multidirectional broadcast of two shapes.</summary>
    static long[]? Broadcast(long[] a, long[] b)
    {
        var axes = Math.Max(a.Length, b.Length);
        var result = new long[axes];
        for (var i = 1; i <= axes; i++)
        {
            var (left, right) = (i <= a.Length ? a[^i] : 1, i <= b.Length ? b[^i] : 1);
            if (left != right && left != 1 && right != 1)
            {
                return null;
            }

            result[^i] = left == 1 ? right : left;
        }

        return result;
    }

    /// <summary>[N, C, …] through a window that slides: convolutions and pools.</summary>
    static long[]? Windowed(NodeProto node, long[] x, long channels, long[] kernel)
    {
        if (kernel.Length != x.Length - 2)
        {
            return null;
        }

        var axes = kernel.Length;
        var strides = node.Ints("strides") ?? [.. Enumerable.Repeat(1L, axes)];
        var dilations = node.Ints("dilations") ?? [.. Enumerable.Repeat(1L, axes)];
        var pads = node.Ints("pads") ?? new long[2 * axes];
        if (strides.Length != axes || dilations.Length != axes || pads.Length != 2 * axes || strides.Concat(dilations).Any(step => step < 1))
        {
            return null;
        }

        var padding = node.Text("auto_pad", "NOTSET");
        var ceil = node.Int("ceil_mode", 0) != 0;
        var result = new long[x.Length];
        (result[0], result[1]) = (x[0], channels);
        for (var i = 0; i < axes; i++)
        {
            var size = x[i + 2];
            var reach = (kernel[i] - 1) * dilations[i] + 1;
            var span = size + pads[i] + pads[i + axes] - reach;
            result[i + 2] = padding switch
            {
                "SAME_UPPER" or "SAME_LOWER" => (size + strides[i] - 1) / strides[i],
                "VALID" => (size - reach) / strides[i] + 1,
                _ => (ceil ? (span + strides[i] - 1) / strides[i] : span / strides[i]) + 1,
            };
            if (result[i + 2] <= 0)
            {
                return null;
            }
        }

        return result;
    }

    static long[]? Gather(long[] x, long[] indices, long axis)
    {
        axis = axis < 0 ? axis + x.Length : axis;
        return axis >= 0 && axis < x.Length ? [.. x[..(int)axis], .. indices, .. x[((int)axis + 1)..]] : null;
    }

    static long[]? Slice(NodeProto node, long[] x, Func<string, long[]?> constantOf)
    {
        long[]? Operand(int i) => node.Input.Count > i && node.Input[i].Length > 0 ? constantOf(node.Input[i]) : null;
        if (Operand(1) is not { } starts || Operand(2) is not { } ends || starts.Length != ends.Length)
        {
            return null;
        }

        var axes = Operand(3) ?? [.. Enumerable.Range(0, starts.Length).Select(axis => (long)axis)];
        var steps = Operand(4) ?? [.. starts.Select(_ => 1L)];
        var result = x.ToArray();
        for (var i = 0; i < starts.Length && axes.Length == starts.Length && steps.Length == starts.Length; i++)
        {
            var axis = axes[i] < 0 ? axes[i] + x.Length : axes[i];
            if (axis < 0 || axis >= x.Length || steps[i] < 1)
            {
                return null;
            }

            var (start, end) = (Place(starts[i], x[axis]), Place(ends[i], x[axis]));
            result[axis] = Math.Max(0, (end - start + steps[i] - 1) / steps[i]);
        }

        return result;
    }

    static long[]? Unsqueeze(long[] x, long[] axes)
    {
        var count = x.Length + axes.Length;
        var added = axes.Select(axis => axis < 0 ? axis + count : axis).ToHashSet();
        if (added.Count != axes.Length || added.Any(axis => axis < 0 || axis >= count))
        {
            return null;
        }

        var rest = new Queue<long>(x);
        return [.. Enumerable.Range(0, count).Select(axis => added.Contains(axis) ? 1 : rest.Dequeue())];
    }

    // A place on an axis, which may be counted from its end and lie beyond it.
    static long Place(long place, long size) => Math.Clamp(place < 0 ? place + size : place, 0, size);

    static long[]? Flatten(long[] x, long axis)
    {
        axis = axis < 0 ? axis + x.Length : axis;
        return axis >= 0 && axis <= x.Length ? [Product(x.AsSpan(0, (int)axis)), Product(x.AsSpan((int)axis))] : null;
    }

    static long[]? Transpose(long[] x, long[] order) =>
        order.Order().SequenceEqual(Enumerable.Range(0, x.Length).Select(axis => (long)axis)) ? [.. order.Select(axis => x[axis])] : null;

    static long[]? Gemm(NodeProto node, long[] a, long[] b) =>
        a.Length == 2 && b.Length == 2
            ? [a[node.Int("transA", 0) != 0 ? 1 : 0], b[node.Int("transB", 0) != 0 ? 0 : 1]]
            : null;

    static long[]? MatMul(long[] a, long[] b)
    {
        if (a.Length < 2 || b.Length < 2)
        {
            return a.Length == 1 && b.Length == 2 ? [b[1]] : b.Length == 1 && a.Length > 0 ? a[..^1] : null;
        }

        return Broadcast(a[..^2], b[..^2]) is { } batch ? [.. batch, a[^2], b[^1]] : null;
    }

    static long[]? Reshape(long[] x, long[] target, bool zeroIsZero)
    {
        var result = target.Select((size, i) => size == 0 && !zeroIsZero && i < x.Length ? x[i] : size).ToArray();
        var open = Array.IndexOf(result, -1);
        if (open >= 0)
        {
            result[open] = 1;
            var rest = Product(result);
            result[open] = rest == 0 ? 0 : Product(x) / rest;
        }

        return result.All(size => size >= 0) && Product(result) == Product(x) ? result : null;
    }

    static long Product(ReadOnlySpan<long> sizes)
    {
        long product = 1;
        foreach (var size in sizes)
        {
            product *= size;
        }

        return product;
    }
}
