namespace MaestroDeploy.Data;

/// <summary>In which order the numbers of an image stand.</summary>
public enum SampleLayout
{
    /// <summary>Channel by channel: <c>[C, H, W]</c>, as sets hold images.</summary>
    Nchw,

    /// <summary>Pixel by pixel: <c>[H, W, C]</c>.</summary>
    Nhwc,

    /// <summary>Channel by channel in whatever shape a graph's input has, such as <c>[784, 1]</c>.</summary>
    Flat,
}

/// <summary>Which channel of a colour image comes first.</summary>
public enum ChannelOrder
{
    /// <summary>Red, green, blue, as sets hold images.</summary>
    Rgb,

    /// <summary>Blue, green, red.</summary>
    Bgr,
}

/// <summary>How a model that others trained wants its samples: what is not named stays as the set has it.</summary>
public sealed record SampleFormat
{
    /// <summary>The order of the numbers; null for the set's own shape.</summary>
    public SampleLayout? Layout { get; init; }

    /// <summary>Which channel comes first; null for red.</summary>
    public ChannelOrder? Channels { get; init; }

    /// <summary>What raw values, of pixels 0 to 255, are multiplied with, finite and above 0; null for the set's own scaling.</summary>
    public double? Scale { get; init; }

    /// <summary>What is subtracted after scaling: one number, or one a channel in the order in which the model takes them; null for nothing.</summary>
    public IReadOnlyList<double>? Mean { get; init; }

    /// <summary>What is divided by at last, each above 0: one number, or one a channel, as <see cref="Mean"/>; null for nothing.</summary>
    public IReadOnlyList<double>? Std { get; init; }

    /// <summary>Whether nothing is named.</summary>
    public bool IsNone => this is { Layout: null, Channels: null, Scale: null, Mean: null, Std: null };

    /// <summary>The scaling for images of some channels, in the order in which sets hold them; null for the set's own.</summary>
    /// <exception cref="ArgumentException">Means without a scale, a number out of its range, or as many as there are no channels.</exception>
    internal PixelScaling? ScalingFor(int channels)
    {
        if (Scale is null)
        {
            return Mean is null && Std is null ? null : throw new ArgumentException("--mean and --std are of scaled values: give --scale too, 1 or 1/255.");
        }

        Require(Scale > 0 && double.IsFinite(Scale.Value), "scale", [Scale.Value], "a finite number above 0");
        var (mean, std) = (PerChannel("mean", Mean, 0, channels), PerChannel("std", Std, 1, channels));
        Require(mean.All(double.IsFinite), "mean", mean, "finite");
        Require(std.All(value => value > 0 && double.IsFinite(value)), "std", std, "finite and above 0");
        return PixelScaling.Affine(Scale.Value, mean, std);
    }

    double[] PerChannel(string name, IReadOnlyList<double>? values, double none, int channels)
    {
        double[] all = values switch
        {
            null => [.. Enumerable.Repeat(none, channels)],
            [var one] => [.. Enumerable.Repeat(one, channels)],
            _ => [.. values],
        };
        Require(all.Length == channels, name, all, $"one number, or one for each of {channels} channels");
        return Channels == ChannelOrder.Bgr ? [.. all.Reverse()] : all;
    }

    static void Require(bool holds, string name, IEnumerable<double> values, string rule)
    {
        if (!holds)
        {
            throw new ArgumentException(FormattableString.Invariant($"--{name} is {string.Join(',', values)}, and must be {rule}."));
        }
    }

    /// <summary>The whole of it in words, after what a set says of its own scaling.</summary>
    internal string Words(string scaling)
    {
        var layout = Layout switch { SampleLayout.Nhwc => ", channels last", SampleLayout.Flat => ", flat", _ => "" };
        return scaling + (Channels == ChannelOrder.Bgr ? ", blue first" : "") + layout;
    }
}
