using System.Collections.Immutable;
using System.Globalization;

namespace MaestroDeploy.Data;

/// <summary>What a raw value becomes, channel by channel, and the same in words.</summary>
sealed class PixelScaling
{
    readonly ImmutableArray<Func<double, double>> _rules;

    PixelScaling(string words, IEnumerable<Func<double, double>> rules)
    {
        (Words, _rules) = (words, [.. rules]);
        Tables = [.. _rules.Select(rule => Enumerable.Range(0, 256).Select(pixel => (float)rule(pixel)).ToArray())];
    }

    /// <summary>The rule as a person would write it.</summary>
    public string Words { get; }

    /// <summary>For each channel, or once for all of them, the float that each byte becomes: <c>[C][256]</c> or <c>[1][256]</c>.</summary>
    public ImmutableArray<float[]> Tables { get; }

    /// <summary>Every channel alike, so that <paramref name="white"/> becomes 1.</summary>
    public static PixelScaling ToUnit(int white) => new($"pixels / {white}", [pixel => pixel / (double)white]);

    /// <summary>As many channels as there are means, each centred and brought to unit deviation.</summary>
    public static PixelScaling Normalise(double[] mean, double[] deviation) => new(
        $"(pixels / 255 - mean) / std, channel by channel: mean {Listed(mean)}, std {Listed(deviation)}",
        mean.Zip(deviation, Func<double, double> (m, d) => pixel => (pixel / 255.0 - m) / d));

    /// <summary>Every channel multiplied, centred on its mean, and divided by its deviation.</summary>
    public static PixelScaling Affine(double scale, double[] mean, double[] deviation)
    {
        var (over, isShare) = (Math.Round(1 / scale), scale < 1 && Math.Abs(scale * Math.Round(1 / scale) - 1) < 1e-12);
        var scaled = "pixels " + (isShare ? $"/ {over}" : string.Create(CultureInfo.InvariantCulture, $"* {scale}"));
        var isPlain = mean.All(value => value == 0) && deviation.All(value => value == 1);
        return new(
            isPlain ? scaled : $"({scaled} - mean) / std, channel by channel: mean {Listed(mean)}, std {Listed(deviation)}",
            mean.Zip(deviation, Func<double, double> (m, d) => value => (value * scale - m) / d));
    }

    /// <summary>What a value of a channel becomes.</summary>
    public float Of(int channel, float value) => (float)_rules[_rules.Length == 1 ? 0 : channel](value);

    /// <summary>What a black pixel of a channel becomes.</summary>
    public float Black(int channel) => Of(channel, 0);

    static string Listed(double[] values) => string.Join(' ', values.Select(v => v.ToString("0.0000", CultureInfo.InvariantCulture)));
}
