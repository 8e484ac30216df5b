using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Build;

namespace MaestroDeploy.Compressor.Models;

/// <summary>Residual networks: a 3x3 stem for images below 64x64, else the 7x7 stem with its pool.</summary>
/// <remarks>
/// ResNet-18 at 32x32 is 555,422,720 MACs and 11,173,962 parameters, ResNet-50 at 224x224 4,089,184,256 and 25,557,032.
/// Source: He et al., arXiv:1512.03385, table 1; the stride of a bottleneck is on its 3x3 convolution, as is usual since.
/// </remarks>
static class ResNet
{
    static readonly Dictionary<string, (int[] Blocks, bool Bottleneck)> Kinds = new()
    {
        ["resnet18"] = ([2, 2, 2, 2], false),
        ["resnet34"] = ([3, 4, 6, 3], false),
        ["resnet50"] = ([3, 4, 6, 3], true),
    };

    public static IEnumerable<string> Names => Kinds.Keys;

    public static OnnxModel Create(string name, ReadOnlySpan<int> sampleShape, int classes, int seed, int width)
    {
        BuiltInModels.RequireImages(name, sampleShape, least: 8);
        var (blocks, bottleneck) = Kinds[name];
        var g = new GraphBuilder(name, seed);
        var x = g.Input("image", sampleShape);                                   // [N, 3, H, W]
        x = sampleShape[1] < 64
            ? Convolution(g, x, "stem", width, kernel: 3)
            : g.MaxPool(Convolution(g, x, "stem", width, kernel: 7, stride: 2), 3, stride: 2, pad: 1);
        for (var stage = 0; stage < blocks.Length; stage++)
        {
            for (var block = 0; block < blocks[stage]; block++)
            {
                var stride = stage > 0 && block == 0 ? 2 : 1;
                x = Block(g, x, $"stage{stage + 1}.{block + 1}", width << stage, stride, bottleneck);
            }
        }

        return g.Build(g.Linear(g.Flatten(g.GlobalAveragePool(x)), "logits", classes));
    }

    static Value Block(GraphBuilder g, Value x, string name, int channels, int stride, bool bottleneck)
    {
        var outputs = bottleneck ? 4 * channels : channels;
        var y = bottleneck
            ? Normalised(g, Convolution(g, Convolution(g, x, $"{name}.conv1", channels, 1), $"{name}.conv2", channels, 3, stride), $"{name}.conv3", outputs, 1)
            : Normalised(g, Convolution(g, x, $"{name}.conv1", channels, 3, stride), $"{name}.conv2", outputs, 3);
        var shortcut = stride != 1 || x.Shape[1] != outputs ? Normalised(g, x, $"{name}.shortcut", outputs, 1, stride) : x;
        return g.Relu(g.Add(y, shortcut));
    }

    static Value Convolution(GraphBuilder g, Value x, string name, int channels, int kernel, int stride = 1) =>
        g.Relu(Normalised(g, x, name, channels, kernel, stride));

    static Value Normalised(GraphBuilder g, Value x, string name, int channels, int kernel, int stride = 1) =>
        g.BatchNorm(g.Conv(x, name, channels, kernel, stride, pad: kernel / 2, bias: false), $"{name}.norm");
}
