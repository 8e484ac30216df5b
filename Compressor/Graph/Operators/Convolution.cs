using MaestroDeploy.Onnx;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>Convolutions over [N, C, H, W].</summary>
static class Convolution
{
    public static Operator Conv(NodeSource source)
    {
        var node = source.Node;
        if (node.Text("auto_pad", "NOTSET") is not ("NOTSET" or "VALID"))
        {
            throw source.Unsupported($"auto_pad {node.Text("auto_pad", "")}");
        }

        long[] strides = node.Ints("strides") ?? [1, 1], dilations = node.Ints("dilations") ?? [1, 1], pads = node.Ints("pads") ?? [0, 0, 0, 0];
        if (strides.Length != 2 || dilations.Length != 2 || pads.Length != 4)
        {
            throw source.Unsupported("a convolution over other than two axes");
        }

        var groups = node.Int("group", 1);
        var even = pads[0] == pads[2] && pads[1] == pads[3];
        return (inputs, _) =>
        {
            if (inputs[1]!.dim() != 4)
            {
                throw source.Unsupported($"its weight has {inputs[1]!.dim()} axes, and a convolution over two has 4");
            }

            var x = even ? inputs[0]! : nn.functional.pad(inputs[0]!, [pads[1], pads[3], pads[0], pads[2]]);
            return nn.functional.conv2d(x, inputs[1]!, inputs.Length > 2 ? inputs[2] : null, strides, even ? pads[..2] : [0, 0], dilations, groups);
        };
    }
}
