using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Build;

namespace MaestroDeploy.Compressor.Models;

/// <summary>VGG with BatchNorm and one linear layer as its head, for 32x32 images: VGG-19 is 398,136,320 MACs and 20,040,522 parameters.</summary>
/// <remarks>Source: Simonyan and Zisserman, arXiv:1409.1556, table 1, columns A, B, D and E.</remarks>
static class Vgg
{
    // Convolutions of 3x3 by their channels at a width of 64; 0 is a pool that halves the image.
    static readonly Dictionary<string, int[]> Stages = new()
    {
        ["vgg11"] = [64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0],
        ["vgg13"] = [64, 64, 0, 128, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0],
        ["vgg16"] = [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0],
        ["vgg19"] = [64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0, 512, 512, 512, 512, 0, 512, 512, 512, 512, 0],
    };

    public static IEnumerable<string> Names => Stages.Keys;

    public static OnnxModel Create(string name, ReadOnlySpan<int> sampleShape, int classes, int seed, int width)
    {
        BuiltInModels.RequireImages(name, sampleShape, least: 32);
        var g = new GraphBuilder(name, seed);
        var x = g.Input("image", sampleShape);                                   // [N, 3, 32, 32]
        var layer = 0;
        foreach (var channels in Stages[name])
        {
            if (channels == 0)
            {
                x = g.MaxPool(x, 2);
                continue;
            }

            layer++;
            x = g.Conv(x, $"conv{layer}", channels * width / 64, kernel: 3, pad: 1);
            x = g.Relu(g.BatchNorm(x, $"norm{layer}"));                          // [N, channels, H, W]
        }

        return g.Build(g.Linear(g.Flatten(x), "logits", classes));               // [N, 512] → [N, classes]
    }
}
