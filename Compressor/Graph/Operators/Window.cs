using MaestroDeploy.Onnx;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>A window that slides over the last axes of [N, C, …]: what convolutions and pools have in common.</summary>
/// <remarks>Source: the ONNX specifications of Conv and of the pools; all lists are in the order of the axes.</remarks>
sealed class Window
{
    readonly long[]? _strides, _dilations, _pads;
    readonly string _padding;

    /// <exception cref="UntrainableModelException">It has more than three axes, lists of several lengths, or padding by a name that ONNX lacks.</exception>
    public Window(NodeSource source)
    {
        var node = source.Node;
        (_strides, _dilations, _pads, Kernel) = (node.Ints("strides"), node.Ints("dilations"), node.Ints("pads"), node.Ints("kernel_shape"));
        _padding = node.Text("auto_pad", "NOTSET");
        IsCeil = node.Int("ceil_mode", 0) != 0;
        int[] axes = [.. new[] { Kernel?.Length, _strides?.Length, _dilations?.Length, _pads?.Length / 2 }.OfType<int>().Distinct()];
        var isOdd = axes.Length > 1 || axes.Any(count => count is < 1 or > 3) || _pads?.Length % 2 == 1;
        source.Refuse(isOdd, "its kernel, strides, dilations and pads are not of the same one to three axes");
        source.Refuse(_padding is not ("NOTSET" or "VALID" or "SAME_UPPER" or "SAME_LOWER"), $"the padding '{_padding}'");
    }

    /// <summary>Its sizes, where the node states them.</summary>
    public long[]? Kernel { get; }

    /// <summary>Whether its last place may lie partly beyond the padded axis.</summary>
    public bool IsCeil { get; }

    /// <summary>Whether the padding follows from the input's sizes.</summary>
    public bool IsSame => _padding is "SAME_UPPER" or "SAME_LOWER";

    /// <summary>Whether what does not fill the axis is left over at its start, not at its end.</summary>
    public bool LeavesOverAtStart => _padding == "SAME_LOWER";

    /// <summary>Steps along each axis.</summary>
    public long[] Strides(int axes) => _strides ?? [.. Enumerable.Repeat(1L, axes)];

    /// <summary>Distances between the elements that it sees.</summary>
    public long[] Dilations(int axes) => _dilations ?? [.. Enumerable.Repeat(1L, axes)];

    /// <summary>Elements added at the start and at the end of each axis.</summary>
    /// <param name="sizes">The input's axes behind [N, C].</param>
    /// <param name="kernel">The window's sizes.</param>
    public (long[] Begin, long[] End) Pads(ReadOnlySpan<long> sizes, ReadOnlySpan<long> kernel)
    {
        var axes = sizes.Length;
        var (begin, end) = (new long[axes], new long[axes]);
        for (var i = 0; i < axes; i++)
        {
            (begin[i], end[i]) = IsSame ? Shared(Lacking(sizes[i], kernel[i], i, axes))
                : _pads is not null && _padding == "NOTSET" ? (_pads[i], _pads[i + axes])
                : (0, 0);
        }

        return (begin, end);
    }

    /// <summary>As <see cref="Pads"/>, but the end is just as long as the places of the window need, which with ceil_mode may lie partly beyond it.</summary>
    public (long[] Begin, long[] End) Reach(ReadOnlySpan<long> sizes, ReadOnlySpan<long> kernel)
    {
        var (begin, end) = Pads(sizes, kernel);
        var (strides, dilations) = (Strides(sizes.Length), Dilations(sizes.Length));
        for (var i = 0; i < begin.Length; i++)
        {
            var reach = (kernel[i] - 1) * dilations[i] + 1;
            var steps = sizes[i] + begin[i] + end[i] - reach + (IsCeil ? strides[i] - 1 : 0);
            var last = steps / strides[i] * strides[i];
            last -= IsCeil && last >= sizes[i] + begin[i] ? strides[i] : 0; // none starts in the padding at the end
            end[i] = last + reach - sizes[i] - begin[i];
        }

        return (begin, end);
    }

    /// <summary>The padding at either end where it is one that Torch's pools know: the same at both, and at most half a window; else null.</summary>
    public long[]? EvenPads(ReadOnlySpan<long> sizes, long[] kernel)
    {
        var (begin, end) = Pads(sizes, kernel);
        return begin.AsSpan().SequenceEqual(end) && begin.Zip(kernel).All(pad => 2 * pad.First <= pad.Second) ? begin : null;
    }

    /// <summary>Total padding split in two halves, the odd one at the end or at the start.</summary>
    public (long Begin, long End) Shared(long total) => LeavesOverAtStart ? (total - total / 2, total / 2) : (total / 2, total - total / 2);

    /// <summary>A tensor with its last axes padded, or cut where a pad is below 0.</summary>
    public static Tensor Padded(Tensor x, long[] begin, long[] end, double value = 0)
    {
        var pads = new long[2 * begin.Length];
        for (var i = 0; i < begin.Length; i++)
        {
            (pads[2 * i], pads[2 * i + 1]) = (begin[^(i + 1)], end[^(i + 1)]);
        }

        return pads.All(pad => pad == 0) ? x : nn.functional.pad(x, pads, TorchSharp.PaddingModes.Constant, value);
    }

    // What the last place of the window lacks when it stands wherever a stride begins inside the axis.
    long Lacking(long size, long kernel, int axis, int axes)
    {
        var stride = Strides(axes)[axis];
        return Math.Max(0, ((size + stride - 1) / stride - 1) * stride + (kernel - 1) * Dilations(axes)[axis] + 1 - size);
    }
}
