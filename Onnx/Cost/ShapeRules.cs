using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Onnx.Cost;

/// <summary>How shapes follow from shapes, an operator or a family of operators a method; null where they do not fit together.</summary>
static class ShapeRules
{
    /// <summary>What a Shape node gives for an input of known shape: its sizes from start to end.</summary>
    public static long[] SizesOf(NodeProto node, long[] x)
    {
        var (start, end) = (Place(node.Int("start", 0), x.Length), Place(node.Int("end", x.Length), x.Length));
        return x[(int)start..(int)Math.Max(start, end)];
    }

    /// <summary>The multidirectional broadcast of two shapes.</summary>
    public static long[]? Broadcast(long[] a, long[] b)
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
    public static long[]? Windowed(NodeProto node, long[] x, long channels, long[] kernel)
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
            var span = (padding == "VALID" ? 0 : pads[i] + pads[i + axes]) + size - reach;
            if (span < 0 && !padding.StartsWith("SAME", StringComparison.Ordinal))
            {
                return null;
            }

            result[i + 2] = padding switch
            {
                "SAME_UPPER" or "SAME_LOWER" => (size + strides[i] - 1) / strides[i],
                _ => (ceil ? (span + strides[i] - 1) / strides[i] : span / strides[i]) + 1,
            };
            if (result[i + 2] <= 0)
            {
                return null;
            }
        }

        return result;
    }

    /// <summary>[N, C, H, W] without its borders left, top, right and bottom; or, where the node gives a height and a width, as large as they say.</summary>
    public static long[]? Crop(NodeProto node, long[] x) => x.Length != 4 || node.Ints("border") is not [var left, var top, var right, var bottom] ? null
        : node.Ints("scale") is [var height, var width] ? [x[0], x[1], height, width]
        : [x[0], x[1], x[2] - top - bottom, x[3] - left - right];

    public static long[]? Gather(long[] x, long[] indices, long axis)
    {
        axis = axis < 0 ? axis + x.Length : axis;
        return axis >= 0 && axis < x.Length ? [.. x[..(int)axis], .. indices, .. x[((int)axis + 1)..]] : null;
    }

    public static long[]? Slice(NodeProto node, long[] x, IShapeSource source)
    {
        // Until opset 9 these were attributes.
        var (starts, ends) = (node.Ints("starts") ?? Operand(node, 1, source), node.Ints("ends") ?? Operand(node, 2, source));
        if (starts is null || ends is null || starts.Length != ends.Length)
        {
            return null;
        }

        var axes = node.Ints("axes") ?? Operand(node, 3, source) ?? [.. Enumerable.Range(0, starts.Length).Select(axis => (long)axis)];
        var steps = Operand(node, 4, source) ?? [.. starts.Select(_ => 1L)];
        var result = x.ToArray();
        for (var i = 0; i < starts.Length && axes.Length == starts.Length && steps.Length == starts.Length; i++)
        {
            var axis = axes[i] < 0 ? axes[i] + x.Length : axes[i];
            if (axis < 0 || axis >= x.Length || steps[i] == 0)
            {
                return null;
            }

            result[axis] = Taken(starts[i], ends[i], steps[i], x[axis]).Count;
        }

        return result;
    }

    public static long[]? Unsqueeze(long[] x, long[] axes)
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

    public static long[]? Flatten(long[] x, long axis)
    {
        axis = axis < 0 ? axis + x.Length : axis;
        return axis >= 0 && axis <= x.Length ? [Sizes.Product(x[..(int)axis]), Sizes.Product(x[(int)axis..])] : null;
    }

    public static long[]? Transpose(long[] x, long[] order) =>
        order.Order().SequenceEqual(Enumerable.Range(0, x.Length).Select(axis => (long)axis)) ? [.. order.Select(axis => x[axis])] : null;

    public static long[]? Gemm(NodeProto node, long[] a, long[] b) =>
        a.Length == 2 && b.Length == 2
            ? [a[node.Int("transA", 0) != 0 ? 1 : 0], b[node.Int("transB", 0) != 0 ? 0 : 1]]
            : null;

    public static long[]? MatMul(long[] a, long[] b)
    {
        if (a.Length < 2 || b.Length < 2)
        {
            return a.Length == 1 && b.Length == 2 ? [b[1]] : b.Length == 1 && a.Length > 0 ? a[..^1] : null;
        }

        return Broadcast(a[..^2], b[..^2]) is { } batch ? [.. batch, a[^2], b[^1]] : null;
    }

    public static long[]? Reshape(long[] x, long[] target, bool zeroIsZero)
    {
        var result = target.Select((size, i) => size == 0 && !zeroIsZero && i < x.Length ? x[i] : size).ToArray();
        var open = Array.IndexOf(result, -1);
        if (open >= 0)
        {
            result[open] = 1;
            var rest = Sizes.Product(result);
            result[open] = rest == 0 ? 0 : Sizes.Product(x) / rest;
        }

        return result.All(size => size >= 0) && Sizes.Product(result) == Sizes.Product(x) ? result : null;
    }

    /// <summary>The constant whole numbers that a node takes as its input i, or null.</summary>
    public static long[]? Operand(NodeProto node, int i, IShapeSource source) =>
        node.Input.Count > i && node.Input[i].Length > 0 ? source.Integers(node.Input[i]) : null;

    /// <summary>Axes, which older opsets give as an attribute and newer ones as the second input; null where neither is there.</summary>
    public static long[]? Axes(NodeProto node, IShapeSource source) => node.Ints("axes") ?? Operand(node, 1, source);

    /// <summary>Whether a node has axes neither as an attribute nor as its second input.</summary>
    public static bool NamesNoAxes(NodeProto node) => node.Ints("axes") is null && (node.Input.Count < 2 || node.Input[1].Length == 0);

    /// <summary>The places on an axis that a slice takes: the first, and how many.</summary>
    public static (long First, long Count) Taken(long start, long end, long step, long size)
    {
        if (step > 0)
        {
            var (first, last) = (Place(start, size), Place(end, size));
            return (first, last > first ? (last - first - 1) / step + 1 : 0);
        }

        // Backwards, the end may lie before the first place, at -1.
        start = Math.Clamp(start < 0 ? start + size : start, -1, size - 1);
        end = end < 0 ? Math.Clamp(end + size, -1, size - 1) : Math.Min(end, size - 1);
        return (start, start > end ? (long)(((Int128)start - end - 1) / -(Int128)step) + 1 : 0);
    }

    /// <summary>Shapes joined along an axis.</summary>
    public static long[]? Concat(long[]?[] inputs, long axis)
    {
        if (inputs[0] is not { } x || Axis(axis, x.Length) is not { } along || inputs.Any(input => input?.Length != x.Length))
        {
            return null;
        }

        var result = x.ToArray();
        result[along] = Sizes.Sum(inputs.Select(input => input![along]));
        return result;
    }

    /// <summary>What is left when some axes are summed, or otherwise taken together.</summary>
    public static long[]? Reduce(NodeProto node, long[] x, IShapeSource source)
    {
        if (Axes(node, source) is not { Length: > 0 } axes)
        {
            // Axes that are computed are not known; none at all means every axis, unless the node says that it means no axis.
            var computed = !NamesNoAxes(node) && Axes(node, source) is null;
            return computed ? null : node.Int("noop_with_empty_axes", 0) != 0 ? x
                : ReduceAxes(x, [.. Enumerable.Range(0, x.Length).Select(axis => (long)axis)], node.Int("keepdims", 1) != 0);
        }

        return ReduceAxes(x, axes, node.Int("keepdims", 1) != 0);
    }

    /// <summary>A shape whose given axes are 1, or gone.</summary>
    public static long[]? ReduceAxes(long[] x, long[] axes, bool keep)
    {
        var reduced = axes.Select(axis => Axis(axis, x.Length)).ToHashSet();
        return reduced.Contains(null) ? null
            : [.. x.Select((size, axis) => reduced.Contains(axis) ? 1 : size).Where((_, axis) => keep || !reduced.Contains(axis))];
    }

    /// <summary>The parts of a Split: by given sizes, or as equal as they go.</summary>
    public static IReadOnlyList<long[]> Split(NodeProto node, long[] x, IShapeSource source)
    {
        if (Axis(node.Int("axis", 0), x.Length) is not { } axis)
        {
            return [];
        }

        var count = node.Output.Count;
        var equal = (x[axis] + count - 1) / count;
        var sizes = node.Ints("split") ?? Operand(node, 1, source)
            ?? [.. Enumerable.Range(0, count).Select(i => Math.Clamp(x[axis] - i * equal, 0, equal))];
        return [.. sizes.Select(size => x.Select((whole, i) => i == axis ? size : whole).ToArray())];
    }

    /// <summary>The k largest along an axis.</summary>
    public static long[]? TopK(NodeProto node, long[] x, IShapeSource source)
    {
        var k = node.Input.Count > 1 ? Operand(node, 1, source)?.FirstOrDefault() : node.Int("k", 0);
        return Axis(node.Int("axis", -1), x.Length) is { } axis && k is { } kept ? [.. x.Select((size, i) => i == axis ? kept : size)] : null;
    }

    /// <summary>The outputs of recurrent layers: all steps [T, directions, N, hidden], then the last one's state and cell [directions, N, hidden].</summary>
    /// <param name="node">LSTM, GRU or RNN.</param>
    /// <param name="x">[T, N, in], or [N, T, in] under layout 1.</param>
    /// <param name="recurrence">The recurrent weight [directions, gates·hidden, hidden].</param>
    public static IReadOnlyList<long[]> Recurrent(NodeProto node, long[] x, long[] recurrence)
    {
        if (x.Length != 3 || recurrence.Length != 3)
        {
            return [];
        }

        var (directions, hidden) = (recurrence[0], recurrence[2]);
        return node.Int("layout", 0) == 0
            ? [[x[0], directions, x[1], hidden], [directions, x[1], hidden], [directions, x[1], hidden]]
            : [[x[0], x[1], directions, hidden], [x[0], directions, hidden], [x[0], directions, hidden]];
    }

    /// <summary>[N, C, …] through a convolution that spreads: (size − 1)·stride + reach + output padding − padding.</summary>
    public static long[]? TransposedConvolution(NodeProto node, long[] x, long[] weight)
    {
        var axes = x.Length - 2;
        if (axes < 1 || weight.Length != x.Length)
        {
            return null;
        }

        long[] Given(string name, int count, long otherwise) => node.Ints(name) is { } given && given.Length == count ? given : [.. Enumerable.Repeat(otherwise, count)];
        var (strides, dilations, pads) = (Given("strides", axes, 1), Given("dilations", axes, 1), Given("pads", 2 * axes, 0));
        var (more, same) = (Given("output_padding", axes, 0), node.Text("auto_pad", "NOTSET").StartsWith("SAME", StringComparison.Ordinal));
        long[] result = [x[0], weight[1] * node.Int("group", 1), .. Enumerable.Range(0, axes).Select(i => same
            ? x[i + 2] * strides[i]
            : (x[i + 2] - 1) * strides[i] + (weight[i + 2] - 1) * dilations[i] + 1 + more[i] - pads[i] - pads[i + axes])];
        result = node.Ints("output_shape") is { } stated && stated.Length == axes ? [.. result[..2], .. stated] : result;
        return result.All(size => size > 0) ? result : null;
    }

    /// <summary>Classes spread out along a new axis.</summary>
    public static long[]? OneHot(long[] x, long depth, long axis) =>
        Axis(axis, x.Length + 1) is { } at ? [.. x[..at], depth, .. x[at..]] : null;

    /// <summary>What a Pad adds to both ends of some axes.</summary>
    public static long[]? Pad(NodeProto node, long[] x, IShapeSource source)
    {
        var pads = node.Ints("pads") ?? Operand(node, 1, source);
        var axes = Operand(node, 3, source) ?? [.. Enumerable.Range(0, x.Length).Select(axis => (long)axis)];
        if (pads is null || pads.Length != 2 * axes.Length)
        {
            return null;
        }

        var result = x.ToArray();
        for (var i = 0; i < axes.Length; i++)
        {
            if (Axis(axes[i], x.Length) is not { } axis)
            {
                return null;
            }

            result[axis] += pads[i] + pads[i + axes.Length];
        }

        return result.All(size => size >= 0) ? result : null;
    }

    /// <summary>A Resize or an Upsample: to sizes that it is given, or by scales.</summary>
    public static long[]? Resize(NodeProto node, long[] x, IShapeSource source)
    {
        if (Operand(node, 3, source) is { } sizes)
        {
            return Replaced(i => sizes[i], sizes.Length);
        }

        // Opset 7 has scales as an attribute, 9 and 10 as the second input, 11 and later as the third.
        var scales = node.FloatList("scales") ?? (node.Input.Count > 1 ? source.Floats(node.Input[Math.Min(2, node.Input.Count - 1)]) : null);
        return scales is null ? null : Replaced(i => (long)Math.Floor(x[AxisAt(i)] * (double)scales[i]), scales.Length);

        int AxisAt(int i) => node.Ints("axes") is { } axes && i < axes.Length ? Axis(axes[i], x.Length) ?? 0 : i;

        long[]? Replaced(Func<int, long> size, int count)
        {
            if (count != (node.Ints("axes")?.Length ?? x.Length) || count > x.Length)
            {
                return null;
            }

            var result = x.ToArray();
            for (var i = 0; i < count; i++)
            {
                result[AxisAt(i)] = size(i);
            }

            return result.All(one => one > 0) ? result : null;
        }
    }

    /// <summary>Channels that become blocks of places, or the other way round.</summary>
    public static long[]? Blocks(long[] x, long size, bool deeper) =>
        x.Length != 4 || size < 1 || size > int.MaxValue ? null
        : deeper ? [x[0], Sizes.Times(x[1], size * size), x[2] / size, x[3] / size]
        : [x[0], x[1] / (size * size), Sizes.Times(x[2], size), Sizes.Times(x[3], size)];

    /// <summary>What places of several axes each pick out.</summary>
    public static long[]? GatherPlaces(long[] x, long[] places, long batchAxes) =>
        places.Length > 0 && batchAxes >= 0 && places[^1] >= 0 && batchAxes + places[^1] is var taken && taken <= x.Length ? [.. places[..^1], .. x[(int)taken..]] : null;

    /// <summary>A shape without some axes of size 1; without all of them where none are named, the batch of one among them.</summary>
    public static long[]? Squeeze(NodeProto node, long[] x, IShapeSource source)
    {
        if (Axes(node, source) is not { } axes)
        {
            return NamesNoAxes(node) ? [.. x.Where(size => size != 1)] : null;
        }

        var gone = axes.Select(axis => Axis(axis, x.Length)).ToHashSet();
        return gone.Contains(null) ? null : [.. x.Where((_, axis) => !gone.Contains(axis))];
    }

    // An axis that may be counted from the end; null where there is none such.
    static int? Axis(long axis, int count) => (axis < 0 ? axis + count : axis) is var place && place >= 0 && place < count ? (int)place : null;
}
