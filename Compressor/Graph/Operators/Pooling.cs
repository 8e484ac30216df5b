using MaestroDeploy.Onnx;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>Pools over one to three axes behind [N, C].</summary>
static class Pooling
{
    public static Operator Max(NodeSource source)
    {
        var (window, kernel) = WindowOf(source);
        long[] strides = window.Strides(kernel.Length), dilations = window.Dilations(kernel.Length), none = new long[kernel.Length];
        return (inputs, _) =>
        {
            var x = inputs[0]!;
            if (window.EvenPads(x.shape.AsSpan(2), kernel) is { } pads)
            {
                return [Largest(x, kernel, strides, pads, dilations, window.IsCeil)];
            }

            var (begin, end) = window.Reach(x.shape.AsSpan(2), kernel);
            return [Largest(Window.Padded(x, begin, end, double.NegativeInfinity), kernel, strides, none, dilations, false)];
        };
    }

    /// <summary>Means of what the window sees of the input; with count_include_pad, of its padding too.</summary>
    public static Operator Average(NodeSource source)
    {
        var (window, kernel) = WindowOf(source);
        RefuseDilations(source);
        var strides = window.Strides(kernel.Length);
        var countsPads = source.Node.Int("count_include_pad", 0) != 0;
        return (inputs, _) =>
        {
            var x = inputs[0]!;
            if (window.EvenPads(x.shape.AsSpan(2), kernel) is { } pads)
            {
                return [Means(x, kernel, strides, pads, window.IsCeil, countsPads)];
            }

            var (begin, end) = window.Reach(x.shape.AsSpan(2), kernel);
            var counted = countsPads ? Counted(x, begin, window.Pads(x.shape.AsSpan(2), kernel).End, end) : Window.Padded(ones([1, 1, .. x.shape[2..]]), begin, end);
            return [Means(Window.Padded(x, begin, end), kernel, strides) / Means(counted, kernel, strides)];
        };
    }

    // 1 where the input or its padding is, 0 where a last place lies beyond both.
    static Tensor Counted(Tensor x, long[] begin, long[] end, long[] reach) =>
        Window.Padded(Window.Padded(ones([1, 1, .. x.shape[2..]]), begin, end, 1), new long[begin.Length], [.. reach.Zip(end, (far, near) => far - near)]);

    /// <summary>The p-norm of what the window sees.</summary>
    public static Operator Lp(NodeSource source)
    {
        var (window, kernel) = WindowOf(source);
        RefuseDilations(source);
        var p = source.Node.Int("p", 2);
        return (inputs, _) =>
        {
            var (begin, end) = window.Reach(inputs[0]!.shape.AsSpan(2), kernel);
            var powers = Window.Padded(inputs[0]!, begin, end).abs().pow(p);
            return [(Means(powers, kernel, window.Strides(kernel.Length)) * Axes.Product(kernel)).pow(1.0 / p)];
        };
    }

    public static Tensor GlobalAverage(Tensor x) => x.mean(Axes.From(2, x), keepdim: true);

    public static Tensor GlobalMax(Tensor x) => x.amax(Axes.From(2, x), keepdim: true);

    public static Operator GlobalLp(NodeSource source)
    {
        var p = source.Node.Int("p", 2);
        return (inputs, _) => [inputs[0]!.abs().pow(p).sum(Axes.From(2, inputs[0]!), keepdim: true).pow(1.0 / p)];
    }

    static Tensor Largest(Tensor x, long[] kernel, long[] strides, long[] pads, long[] dilations, bool ceil) => kernel.Length switch
    {
        1 => nn.functional.max_pool1d(x, kernel[0], strides[0], pads[0], dilations[0], ceil),
        2 => nn.functional.max_pool2d(x, kernel, strides, pads, dilations, ceil),
        _ => nn.functional.max_pool3d(x, kernel, strides, pads, dilations, ceil),
    };

    static Tensor Means(Tensor x, long[] kernel, long[] strides, long[]? pads = null, bool ceil = false, bool countsPads = true) => kernel.Length switch
    {
        1 => nn.functional.avg_pool1d(x, kernel[0], strides[0], pads?[0] ?? 0, ceil, countsPads),
        2 => nn.functional.avg_pool2d(x, kernel, strides, pads ?? [0, 0], ceil, countsPads),
        _ => nn.functional.avg_pool3d(x, kernel, strides, pads ?? [0, 0, 0], ceil, countsPads),
    };

    static (Window Window, long[] Kernel) WindowOf(NodeSource source)
    {
        var window = new Window(source);
        source.Refuse(source.Node.Int("storage_order", 0) != 0, "it counts places by columns");
        return (window, window.Kernel ?? throw source.Unsupported("it has no kernel_shape"));
    }

    static void RefuseDilations(NodeSource source) =>
        source.Refuse(source.Node.Ints("dilations")?.Any(step => step != 1) == true, $"{source.Node.OpType} with dilations");
}
