using MaestroDeploy.Onnx;

namespace MaestroDeploy.Compressor.Models;

/// <summary>How large a built-in model is, where it leaves a choice.</summary>
/// <param name="Hidden">Widths of an mlp's hidden layers; null for 1024 and 1024.</param>
/// <param name="Width">Channels of the first stage of a VGG or a residual network, null for 64; numbers that stand for a word in a transformer, null for 512.</param>
/// <param name="Depth">Blocks of a transformer's encoder, and of its decoder; null for 6.</param>
public sealed record ModelSize(IReadOnlyList<int>? Hidden = null, int? Width = null, int? Depth = null)
{
    /// <summary>The network's own size.</summary>
    public static ModelSize Default { get; } = new();
}

/// <summary>The networks that <c>train</c> knows by name: classifiers for images of any size that they fit, and a translator.</summary>
public static class BuiltInModels
{
    const string Translator = "transformer";
    const int NumbersAHead = 64;

    /// <summary>Their names, as the command line takes them.</summary>
    public static IReadOnlyList<string> Names { get; } = ["mlp", "lenet", .. Vgg.Names, .. ResNet.Names, Translator];

    /// <summary>Builds a classifier with fresh weights.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="sampleShape">The shape of one sample, [C, H, W].</param>
    /// <param name="classes">Outputs.</param>
    /// <param name="seed">Seeds the weights.</param>
    /// <param name="size">How large; null for its own size.</param>
    /// <exception cref="ArgumentException">No such classifier, a size that it does not have, or samples that it does not fit.</exception>
    public static OnnxModel Create(string name, ReadOnlySpan<int> sampleShape, int classes, int seed, ModelSize? size = null)
    {
        size ??= ModelSize.Default;
        var hasWidth = Vgg.Names.Concat(ResNet.Names).Contains(name);
        Refuse(size.Hidden is not null && name != "mlp", $"Hidden widths are an mlp's; '{name}' has its own.");
        Refuse(size.Width is not null && !(hasWidth && size.Width is >= 4 and <= 1024), $"A width is that of a VGG's or a residual network's first stage, 4 to 1024; found {size.Width} for '{name}'.");
        Refuse(size.Depth is not null, $"A depth is a transformer's; '{name}' has its own.");
        Refuse(name == Translator, $"'{name}' translates; give it parallel text, or take one of {string.Join(", ", Names.SkipLast(1))}.");
        return name switch
        {
            "mlp" => Mlp.Create(sampleShape, classes, seed, size.Hidden ?? [1024, 1024]),
            "lenet" => LeNet.Create(sampleShape, classes, seed),
            _ when ResNet.Names.Contains(name) => ResNet.Create(name, sampleShape, classes, seed, size.Width ?? 64),
            _ when Vgg.Names.Contains(name) => Vgg.Create(name, sampleShape, classes, seed, size.Width ?? 64),
            _ => throw new ArgumentException($"There is no built-in model '{name}'; there are {string.Join(", ", Names)}, or give an .onnx file."),
        };
    }

    /// <summary>Builds a translator with fresh weights.</summary>
    /// <param name="name">transformer.</param>
    /// <param name="words">Words of the shared vocabulary.</param>
    /// <param name="seed">Seeds the weights.</param>
    /// <param name="size">How large; null for its own size.</param>
    /// <exception cref="ArgumentException">No such translator, or a size that it does not have.</exception>
    public static OnnxModel CreateTranslator(string name, int words, int seed, ModelSize? size = null)
    {
        size ??= ModelSize.Default;
        var (width, depth) = (size.Width ?? 512, size.Depth ?? 6);
        Refuse(name != Translator, $"'{name}' does not translate; for parallel text there is {Translator}.");
        Refuse(size.Hidden is not null, $"Hidden widths are an mlp's; '{name}' has its own.");
        Refuse(width % NumbersAHead != 0 || width is < NumbersAHead or > 4096, $"A transformer's width is a multiple of {NumbersAHead}, one head each, to 4096; found {width}.");
        Refuse(depth is < 1 or > 64, $"A transformer's depth is 1 to 64; found {depth}.");
        return Transformer.Create(words, seed, width, depth, width / NumbersAHead);
    }

    internal static void RequireImages(string name, ReadOnlySpan<int> sampleShape, int least)
    {
        if (sampleShape.Length != 3 || sampleShape[1] < least || sampleShape[2] < least)
        {
            throw new ArgumentException($"{name} needs images of {least}x{least} and more, and these are [{string.Join(", ", sampleShape.ToArray())}]; take mlp.");
        }
    }

    static void Refuse(bool wrong, string why)
    {
        if (wrong)
        {
            throw new ArgumentException(why);
        }
    }
}
