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
}

/// <summary>Samples kept as the floats they are.</summary>
sealed class FloatStorage(float[] values) : SampleStorage
{
    public override long Length => values.Length;

    public override void Copy(int row, Span<float> sample) => values.AsSpan(row * sample.Length, sample.Length).CopyTo(sample);

    public override float Black(int channel) => 0;
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
}
