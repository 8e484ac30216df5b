using MaestroDeploy.Onnx;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>Resize and Upsample: one axis after another, each new element a weighted sum of a few old ones.</summary>
/// <remarks>Source of every formula: the ONNX specification of Resize. Places are computed in float32, as ONNX Runtime does.</remarks>
static class Resizing
{
    /// <summary>Where a new element lies on the old axis: from its place, the scale, and the sizes old and new.</summary>
    delegate float Coordinate(float place, float scale, long from, long to);

    /// <summary>The old elements that make a new one: from its coordinate and the old size, their places and weights.</summary>
    delegate (long Place, float Weight)[] Kernel(float coordinate, long size);

    /// <summary>Inputs x, a region that is not read, scales, and sizes.</summary>
    public static Operator Resize(NodeSource source)
    {
        var node = source.Node;
        if (source.Opset < 11)
        {
            return Upsample(source);
        }

        source.Refuse(!source.IsGiven(2) && !source.IsGiven(3), "it has neither scales nor sizes");
        source.Refuse(node.Int("antialias", 0) != 0, "it smooths what it shrinks (antialias)");
        source.Refuse(node.Text("keep_aspect_ratio_policy", "stretch") != "stretch", "it keeps the aspect ratio");
        var coordinate = CoordinateOf(node.Text("coordinate_transformation_mode", "half_pixel"), source);
        return Along(node.Ints("axes"), source.Doubles(2), source.Longs(3), coordinate, KernelOf(source));
    }

    /// <summary>Inputs x and scales, which were an attribute before opset 9.</summary>
    public static Operator Upsample(NodeSource source)
    {
        double[]? stated = source.Node.FloatList("scales") is { } scales ? Array.ConvertAll(scales, scale => (double)scale) : null;
        source.Refuse(stated is null && !source.IsGiven(1), "it has no scales");
        var kernel = source.Node.Text("mode", "nearest") == "nearest" ? Nearest(MathF.Floor) : KernelOf(source);
        return Along(null, stated is null ? source.Doubles(1) : _ => stated, _ => null, CoordinateOf("asymmetric", source), kernel);
    }

    static Operator Along(long[]? axes, Setting<double[]?> scales, Setting<long[]?> sizes, Coordinate coordinate, Kernel kernel) => (inputs, _) =>
    {
        var x = inputs[0]!;
        var (of, by, wanted) = (Axes.OrAll(axes, x), scales(inputs), sizes(inputs));
        for (var i = 0; i < of.Length; i++)
        {
            var from = x.shape[of[i]];
            var to = wanted is { Length: > 0 } ? wanted[i] : (long)Math.Floor(from * (float)by![i]);
            var scale = wanted is { Length: > 0 } ? (float)to / from : (float)by![i];
            x = scale == 1 && to == from ? x : Sum(x, of[i], [.. Enumerable.Range(0, (int)to).Select(place => kernel(coordinate(place, scale, from, to), from))]);
        }

        return [x.alias()];
    };

    // The k-th old element of every new one makes one gathered tensor.
    static Tensor Sum(Tensor x, long axis, (long Place, float Weight)[][] parts)
    {
        Tensor? sum = null;
        for (var k = 0; k < parts.Max(part => part.Length); k++)
        {
            long[] places = [.. parts.Select(part => part[k].Place)];
            float[] weights = [.. parts.Select(part => part[k].Weight)];
            var taken = x.index_select(axis, NativeTensor.From(places));
            var share = weights.All(weight => weight == 1) ? taken
                : taken * NativeTensor.From(weights, [weights.Length, .. Enumerable.Repeat(1L, (int)(x.dim() - 1 - axis))]);
            sum = sum is null ? share : sum + share;
        }

        return sum!;
    }

    static Coordinate CoordinateOf(string mode, NodeSource source) => mode switch
    {
        "asymmetric" => (place, scale, _, _) => place / scale,
        "half_pixel" => (place, scale, _, _) => (place + 0.5f) / scale - 0.5f,
        "pytorch_half_pixel" => (place, scale, _, to) => to > 1 ? (place + 0.5f) / scale - 0.5f : 0,
        "tf_half_pixel_for_nn" => (place, scale, _, _) => (place + 0.5f) / scale,
        "align_corners" => (place, _, from, to) => to > 1 ? place * (from - 1) / (to - 1) : 0,
        "half_pixel_symmetric" => (place, scale, from, to) => from / 2f * (1 - to / (scale * from)) + (place + 0.5f) / scale - 0.5f,
        _ => throw source.Unsupported($"the coordinates '{mode}'"),
    };

    static Kernel KernelOf(NodeSource source) => source.Node.Text("mode", "nearest") switch
    {
        "nearest" => Nearest(RoundingOf(source.Node.Text("nearest_mode", "round_prefer_floor"), source)),
        "linear" or "bilinear" => Linear,
        "cubic" => Cubic(source.Node.Float("cubic_coeff_a", -0.75f), source.Node.Int("exclude_outside", 0) != 0),
        var other => throw source.Unsupported($"the mode '{other}'"),
    };

    static Func<float, float> RoundingOf(string mode, NodeSource source) => mode switch
    {
        "round_prefer_floor" => place => MathF.Ceiling(place - 0.5f),
        "round_prefer_ceil" => place => MathF.Floor(place + 0.5f),
        "floor" => MathF.Floor,
        "ceil" => MathF.Ceiling,
        _ => throw source.Unsupported($"the rounding '{mode}'"),
    };

    static Kernel Nearest(Func<float, float> round) => (coordinate, size) => [(Within((long)round(coordinate), size), 1)];

    static (long Place, float Weight)[] Linear(float coordinate, long size)
    {
        var low = MathF.Floor(coordinate);
        var share = coordinate - low;
        return [(Within((long)low, size), 1 - share), (Within((long)low + 1, size), share)];
    }

    /// <summary>Cubic convolution over four elements (Keys, 1981), those outside counted as the nearest one inside, or not at all.</summary>
    static Kernel Cubic(float a, bool excludesOutside) => (coordinate, size) =>
    {
        var low = (long)MathF.Floor(coordinate);
        var part = Enumerable.Range(-1, 4).Select(i => low + i).Select(place => (place, Weight: place < 0 || place >= size ? Outer(place) : Inner(place))).ToArray();
        var total = excludesOutside ? part.Sum(element => element.Weight) : 1;
        return [.. part.Select(element => (Within(element.place, size), element.Weight / total))];

        float Outer(long place) => excludesOutside ? 0 : Inner(place);

        float Inner(long place)
        {
            var d = MathF.Abs(coordinate - place);
            return d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
        }
    };

    static long Within(long place, long size) => Math.Clamp(place, 0, size - 1);
}
