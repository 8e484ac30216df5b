using MaestroDeploy.Onnx;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>Convolutions over one to three axes behind [N, C].</summary>
static class Convolution
{
    /// <summary>Inputs x [N, C, …], weight [M, C/groups, …], and a bias [M] or none.</summary>
    public static Operator Conv(NodeSource source)
    {
        var window = new Window(source);
        var groups = source.Node.Int("group", 1);
        return (inputs, _) =>
        {
            Tensor x = inputs[0]!, weight = inputs[1]!;
            var axes = AxesOf(weight, x, source);
            var (begin, end) = window.Pads(x.shape.AsSpan(2), weight.shape.AsSpan(2));
            var isEven = begin.AsSpan().SequenceEqual(end);
            return [Convolve(isEven ? x : Window.Padded(x, begin, end), weight, inputs.Length > 2 ? inputs[2] : null,
                window.Strides(axes), isEven ? begin : new long[axes], window.Dilations(axes), groups)];
        };
    }

    /// <summary>Inputs x [N, C, …], weight [C, M/groups, …], and a bias [M] or none.</summary>
    public static Operator Transposed(NodeSource source)
    {
        var window = new Window(source);
        var (groups, wanted, extra) = (source.Node.Int("group", 1), source.Node.Ints("output_shape"), source.Node.Ints("output_padding"));
        return (inputs, _) =>
        {
            Tensor x = inputs[0]!, weight = inputs[1]!;
            var axes = AxesOf(weight, x, source);
            var whole = Spread(x, weight, window.Strides(axes), window.Dilations(axes), groups);
            var (begin, end) = Cuts(x.shape[2..], whole.shape[2..], weight.shape[2..]);
            var y = Window.Padded(whole, begin, end);
            return [inputs.Length > 2 && inputs[2] is { } bias ? y + bias.reshape([-1, .. Enumerable.Repeat(1L, axes)]) : y];
        };

        // How much longer than the whole the output is at either end: less than 0 where the whole is cut.
        (long[] Begin, long[] End) Cuts(long[] sizes, long[] whole, long[] kernel)
        {
            var (begin, end) = window.IsSame ? (new long[sizes.Length], new long[sizes.Length]) : window.Pads(sizes, kernel);
            for (var i = 0; i < sizes.Length; i++)
            {
                var more = extra?[i] ?? 0;
                var size = wanted is not null ? wanted[^(sizes.Length - i)] : window.IsSame ? sizes[i] * window.Strides(sizes.Length)[i] : -1;
                (begin[i], end[i]) = size < 0 ? (begin[i], end[i]) : window.Shared(whole[i] + more - size);
                (begin[i], end[i]) = (-begin[i], more - end[i]);
            }

            return (begin, end);
        }
    }

    static int AxesOf(Tensor weight, Tensor x, NodeSource source)
    {
        source.Refuse(weight.dim() is < 3 or > 5, $"its weight has {weight.dim()} axes; 3 to 5 are supported");
        source.Refuse(x.dim() != weight.dim(), $"its weight has {weight.dim()} axes, and its input {x.dim()}");
        return (int)weight.dim() - 2;
    }

    static Tensor Convolve(Tensor x, Tensor weight, Tensor? bias, long[] strides, long[] pads, long[] dilations, long groups) => strides.Length switch
    {
        1 => nn.functional.conv1d(x, weight, bias, strides[0], pads[0], dilations[0], groups),
        2 => nn.functional.conv2d(x, weight, bias, strides, pads, dilations, groups),
        _ => nn.functional.conv3d(x, weight, bias, strides, pads, dilations, groups),
    };

    static Tensor Spread(Tensor x, Tensor weight, long[] strides, long[] dilations, long groups) => strides.Length switch
    {
        1 => nn.functional.conv_transpose1d(x, weight, stride: strides[0], dilation: dilations[0], groups: groups),
        2 => nn.functional.conv_transpose2d(x, weight, strides: strides, dilation: dilations, groups: groups),
        _ => nn.functional.conv_transpose3d(x, weight, strides: strides, dilation: dilations, groups: groups),
    };
}
