using System.Collections.Immutable;
using System.Globalization;

namespace MaestroDeploy.Data;

/// <summary>What each of the 256 values of a pixel becomes, channel by channel, and the same in words.</summary>
/// <param name="Words">The rule as a person would write it.</param>
/// <param name="Tables">For each channel, or once for all of them, the float that each byte becomes: <c>[C][256]</c> or <c>[1][256]</c>.</param>
sealed record PixelScaling(string Words, ImmutableArray<float[]> Tables)
{
    /// <summary>Every channel alike, so that <paramref name="white"/> becomes 1.</summary>
    public static PixelScaling ToUnit(int white) => new($"pixels / {white}", [Table(pixel => pixel / (double)white)]);

    /// <summary>As many channels as there are means, each centred and brought to unit deviation.</summary>
    public static PixelScaling Normalise(double[] mean, double[] deviation) => new(
        $"(pixels / 255 - mean) / std, channel by channel: mean {Listed(mean)}, std {Listed(deviation)}",
        [.. mean.Zip(deviation, (m, d) => Table(pixel => (pixel / 255.0 - m) / d))]);

    /// <summary>What a black pixel of a channel becomes.</summary>
    public float Black(int channel) => Tables[Tables.Length == 1 ? 0 : channel][0];

    static float[] Table(Func<int, double> value) => [.. Enumerable.Range(0, 256).Select(pixel => (float)value(pixel))];

    static string Listed(double[] values) => string.Join(' ', values.Select(v => v.ToString("0.0000", CultureInfo.InvariantCulture)));
}
