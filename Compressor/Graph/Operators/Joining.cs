using MaestroDeploy.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>Operators that put tensors together, take them apart, repeat or pad them.</summary>
static class Joining
{
    public static Operator Concat(NodeSource source)
    {
        var axis = source.Node.Int("axis", source.Opset < 4 ? 1 : 0);
        return (inputs, _) => [cat(inputs.ToArray()!, axis)];
    }

    /// <summary>Parts of given sizes (an attribute before opset 13, an input since), else as many equal ones as there are outputs.</summary>
    public static Operator Split(NodeSource source)
    {
        var axis = source.Node.Int("axis", 0);
        var sizes = source.Longs(1, "split");
        var parts = source.Node.Int("num_outputs", source.Node.Output.Count);
        return (inputs, _) =>
        {
            var x = inputs[0]!;
            var at = Axes.Of(axis, x);
            var each = (x.shape[at] + parts - 1) / parts; // the last is smaller where they do not come out even
            return x.split(sizes(inputs) ?? [.. Enumerable.Repeat(each, (int)parts - 1), x.shape[at] - each * (parts - 1)], at);
        };
    }

    /// <summary>Inputs x and how often it is repeated along each axis.</summary>
    public static Operator Tile(NodeSource source)
    {
        var repeats = source.Longs(1);
        return (inputs, _) => [inputs[0]!.repeat(repeats(inputs)!)];
    }

    /// <summary>
    /// Inputs x, pads (the begins of all axes, then their ends; below 0 cuts), a value, and the axes that the pads are of. Pads and value
    /// were attributes before opset 11.
    /// </summary>
    public static Operator Pad(NodeSource source)
    {
        var (pads, values, axes) = (source.Longs(1, "pads"), source.Doubles(2), source.Longs(3));
        var stated = source.Node.Float("value", 0);
        var place = Place(source);
        return (inputs, _) =>
        {
            var x = inputs[0]!;
            var (amounts, of) = (pads(inputs) ?? throw source.Unsupported("it has no pads"), Axes.OrAll(axes(inputs), x));
            return [place is null
                ? nn.functional.pad(x, InTorchsOrder(amounts, of, x), PaddingModes.Constant, values(inputs)?.FirstOrDefault() ?? stated)
                : of.Select((axis, i) => (axis, i)).Aggregate(x.alias(), (y, pad) => Taken(y, pad.axis, amounts[pad.i], amounts[pad.i + of.Length], place))];
        };
    }

    /// <summary>Which element of an axis stands at a place beyond it; null where none does, but a constant.</summary>
    static Func<long, long, long>? Place(NodeSource source) => source.Node.Text("mode", "constant") switch
    {
        "constant" => null,
        "edge" => (place, size) => Math.Clamp(place, 0, size - 1),
        "wrap" => (place, size) => (place % size + size) % size,
        "reflect" => (place, size) => size == 1 ? 0 : size - 1 - Math.Abs(size - 1 - Math.Abs(place) % (2 * size - 2)),
        var other => throw source.Unsupported($"the padding mode '{other}'"),
    };

    static Tensor Taken(Tensor x, long axis, long begin, long end, Func<long, long, long> place)
    {
        var size = x.shape[axis];
        long[] places = [.. Enumerable.Range(0, (int)(begin + size + end)).Select(i => place(i - begin, size))];
        return begin == 0 && end == 0 ? x : x.index_select(axis, NativeTensor.From(places));
    }

    // Begin and end of the last axis, then of the one before it, and so on.
    static long[] InTorchsOrder(long[] pads, long[] axes, Tensor x)
    {
        var result = new long[2 * x.dim()];
        foreach (var (axis, i) in axes.Select((axis, i) => (axis, i)))
        {
            result[2 * (x.dim() - 1 - axis)] = pads[i];
            result[2 * (x.dim() - 1 - axis) + 1] = pads[i + axes.Length];
        }

        return result;
    }
}
