using System.CommandLine;
using System.Globalization;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Onnx;

namespace MaestroDeploy.Cli.Commands;

/// <summary>The options that size a built-in model, and the model that they come to.</summary>
sealed class ModelSizeFlags
{
    readonly Option<int[]?> _hidden = new("--hidden")
    {
        Description = "Widths of an mlp's hidden layers; default 1024,1024.",
        CustomParser = SharedOptions.Parse<int[]?>(Widths),
    };

    readonly Option<int?> _width = new("--width") { Description = "Channels of the first stage of a VGG or a residual network, default 64; a transformer's width, default 512." };
    readonly Option<int?> _depth = new("--depth") { Description = "Blocks of a transformer's encoder and of its decoder; default 6." };

    public void AddTo(Command command)
    {
        command.Options.Add(_hidden);
        command.Options.Add(_width);
        command.Options.Add(_depth);
    }

    /// <summary>A built-in model with fresh weights, or one from a file.</summary>
    /// <exception cref="UsageException">There is no such model, or a size is not one of its.</exception>
    public OnnxModel Model(ParseResult parsed, string name, NamedData data, int seed)
    {
        var size = new ModelSize(parsed.GetValue(_hidden) is { Length: > 0 } widths ? widths : null, parsed.GetValue(_width), parsed.GetValue(_depth));
        if (!name.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase))
        {
            return data.BuiltIn(name, seed, size);
        }

        return size == ModelSize.Default
            ? OnnxModel.Load(name)
            : throw new UsageException($"{(size.Hidden is not null ? "--hidden" : size.Width is not null ? "--width" : "--depth")} is for built-in models; an .onnx file has its own.");
    }

    static int[] Widths(string text)
    {
        var widths = text.Split(',').Select(width => int.Parse(width, NumberStyles.None, CultureInfo.InvariantCulture)).ToArray();
        return widths.All(width => width is >= 1 and <= 1 << 14) ? widths : throw new FormatException($"Widths are 1 to 16384; found '{text}'.");
    }
}
