using MaestroDeploy.Onnx;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>Pools over [N, C, H, W].</summary>
static class Pooling
{
    public static Operator Max(NodeSource source)
    {
        var window = Window.Of(source);
        var dilations = source.Node.Ints("dilations") ?? [1, 1];
        return (inputs, _) => nn.functional.max_pool2d(inputs[0]!, window.Kernel, window.Strides, window.Pads, dilations, window.Ceil);
    }

    public static Operator Average(NodeSource source)
    {
        var window = Window.Of(source);
        if (source.Node.Ints("dilations")?.Any(step => step != 1) == true)
        {
            throw source.Unsupported("an average pool with dilations");
        }

        var countsPads = source.Node.Int("count_include_pad", 0) != 0;
        return (inputs, _) => nn.functional.avg_pool2d(inputs[0]!, window.Kernel, window.Strides, window.Pads, window.Ceil, countsPads);
    }

    public static Tensor GlobalAverage(ReadOnlySpan<Tensor?> inputs, ForwardMode mode) =>
        inputs[0]!.mean([.. Enumerable.Range(2, (int)inputs[0]!.dim() - 2).Select(axis => (long)axis)], keepdim: true);

    sealed record Window(long[] Kernel, long[] Strides, long[] Pads, bool Ceil)
    {
        public static Window Of(NodeSource source)
        {
            var node = source.Node;
            var kernel = node.Ints("kernel_shape") ?? throw source.Unsupported("it has no kernel_shape");
            var pads = node.Ints("pads") ?? [0, 0, 0, 0];
            var strides = node.Ints("strides") ?? [1, 1];
            if (kernel.Length != 2 || strides.Length != 2 || pads.Length != 4 || node.Text("auto_pad", "NOTSET") is not ("NOTSET" or "VALID") || pads[0] != pads[2] || pads[1] != pads[3] || node.Output.Count > 1)
            {
                throw source.Unsupported("a pool over other than two axes, with uneven padding, or that gives indices");
            }

            return new Window(kernel, strides, pads[..2], node.Int("ceil_mode", 0) != 0);
        }
    }
}
