using MaestroDeploy.Onnx;

namespace MaestroDeploy.Compressor.Models;

/// <summary>The networks that <c>train</c> knows by name, for images of any size that they fit.</summary>
public static class BuiltInModels
{
    /// <summary>Their names, as the command line takes them.</summary>
    public static IReadOnlyList<string> Names { get; } = ["mlp", "lenet", .. Vgg.Names, .. ResNet.Names];

    /// <summary>Builds a network with fresh weights.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="sampleShape">The shape of one sample, [C, H, W].</param>
    /// <param name="classes">Outputs.</param>
    /// <param name="seed">Seeds the weights.</param>
    /// <param name="hidden">Widths of an mlp's hidden layers; null for 1024 and 1024. The other networks have theirs.</param>
    /// <param name="width">Channels of the first stage of a VGG or a residual network, of which the others are multiples; null for 64.</param>
    /// <exception cref="ArgumentException">No such network, or it does not fit the samples.</exception>
    public static OnnxModel Create(string name, ReadOnlySpan<int> sampleShape, int classes, int seed, IReadOnlyList<int>? hidden = null, int? width = null)
    {
        if (hidden is not null && name != "mlp")
        {
            throw new ArgumentException($"Hidden widths are an mlp's; '{name}' has its own.");
        }

        if (width is not null && (name is "mlp" or "lenet" || width < 1))
        {
            throw new ArgumentException($"A width is that of a VGG's or a residual network's first stage, 1 or more; found {width} for '{name}'.");
        }

        return name switch
        {
            "mlp" => Mlp.Create(sampleShape, classes, seed, hidden ?? [1024, 1024]),
            "lenet" => LeNet.Create(sampleShape, classes, seed),
            _ when ResNet.Names.Contains(name) => ResNet.Create(name, sampleShape, classes, seed, width ?? 64),
            _ when Vgg.Names.Contains(name) => Vgg.Create(name, sampleShape, classes, seed, width ?? 64),
            _ => throw new ArgumentException($"There is no built-in model '{name}'; there are {string.Join(", ", Names)}, or give an .onnx file."),
        };
    }

    internal static void RequireImages(string name, ReadOnlySpan<int> sampleShape, int least)
    {
        if (sampleShape.Length != 3 || sampleShape[1] < least || sampleShape[2] < least)
        {
            throw new ArgumentException($"{name} needs images of {least}x{least} and more, and these are [{string.Join(", ", sampleShape.ToArray())}]; take mlp.");
        }
    }
}
