namespace MaestroDeploy.Data;

/// <summary>Where a set's samples rest, and how one of them becomes floats.</summary>
abstract class SampleStorage
{
    /// <summary>How many values are stored, over all samples.</summary>
    public abstract long Length { get; }

    /// <summary>Decodes stored sample <paramref name="row"/> into <paramref name="sample"/>, which is as long as each sample is.</summary>
    public abstract void Copy(int row, Span<float> sample);

    /// <summary>What a black pixel of a channel becomes.</summary>
    public abstract float Black(int channel);

    /// <summary>The same samples, their raw values scaled by another rule.</summary>
    public abstract SampleStorage Scaled(PixelScaling scaling);
}

/// <summary>Samples kept as the floats they are, and scaled where a rule is given.</summary>
sealed class FloatStorage(float[] values, PixelScaling? scaling = null) : SampleStorage
{
    public override long Length => values.Length;

    public override void Copy(int row, Span<float> sample)
    {
        values.AsSpan(row * sample.Length, sample.Length).CopyTo(sample);
        var plane = sample.Length / (scaling?.Tables.Length ?? 1);
        for (var i = 0; scaling is not null && i < sample.Length; i++)
        {
            sample[i] = scaling.Of(i / plane, sample[i]);
        }
    }

    public override float Black(int channel) => scaling?.Black(channel) ?? 0;

    public override SampleStorage Scaled(PixelScaling other) => new FloatStorage(values, other);
}

/// <summary>Samples kept as bytes, a quarter of the memory, and scaled each time they are copied.</summary>
sealed class PixelStorage(byte[] pixels, PixelScaling scaling) : SampleStorage
{
    public override long Length => pixels.Length;

    public override void Copy(int row, Span<float> sample)
    {
        var from = pixels.AsSpan(row * sample.Length, sample.Length);
        var plane = sample.Length / scaling.Tables.Length; // H·W where each channel has its own table, else all of the sample
        foreach (var table in scaling.Tables)
        {
            for (var i = 0; i < plane; i++)
            {
                sample[i] = table[from[i]];
            }

            from = from[plane..];
            sample = sample[plane..];
        }
    }

    public override float Black(int channel) => scaling.Black(channel);

    public override SampleStorage Scaled(PixelScaling other) => new PixelStorage(pixels, other);
}

/// <summary>Another storage's images <c>[C, H, W]</c>, their channels last, or from the last channel to the first, or both.</summary>
sealed class ArrangedStorage(SampleStorage images, int channels, bool last, bool reversed) : SampleStorage
{
    public override long Length => images.Length;

    public override void Copy(int row, Span<float> sample)
    {
        var image = new float[sample.Length];
        images.Copy(row, image);
        var plane = image.Length / channels;
        for (var channel = 0; channel < channels; channel++)
        {
            var from = image.AsSpan(Stored(channel) * plane, plane);
            for (var i = 0; i < plane; i++)
            {
                sample[last ? i * channels + channel : channel * plane + i] = from[i];
            }
        }
    }

    public override float Black(int channel) => images.Black(Stored(channel));

    public override SampleStorage Scaled(PixelScaling scaling) => new ArrangedStorage(images.Scaled(scaling), channels, last, reversed);

    int Stored(int channel) => reversed ? channels - 1 - channel : channel;
}
