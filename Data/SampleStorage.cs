namespace MaestroDeploy.Data;

/// <summary>Where a set's samples rest, and how one of them becomes floats.</summary>
abstract class SampleStorage
{
    /// <summary>How many values are stored, over all samples.</summary>
    public abstract int Length { get; }

    /// <summary>Decodes the values of one sample, which begin at <paramref name="start"/>, into <paramref name="sample"/>.</summary>
    public abstract void Copy(int start, Span<float> sample);
}

/// <summary>Samples kept as the floats they are.</summary>
sealed class FloatStorage(float[] values) : SampleStorage
{
    public override int Length => values.Length;

    public override void Copy(int start, Span<float> sample) => values.AsSpan(start, sample.Length).CopyTo(sample);
}

/// <summary>Samples kept as bytes, a quarter of the memory, and scaled each time they are copied.</summary>
sealed class PixelStorage(byte[] pixels, PixelScaling scaling) : SampleStorage
{
    public override int Length => pixels.Length;

    public override void Copy(int start, Span<float> sample)
    {
        var plane = sample.Length / scaling.Tables.Length; // H·W, as each channel has its own table
        foreach (var table in scaling.Tables)
        {
            var from = pixels.AsSpan(start, plane);
            for (var i = 0; i < from.Length; i++)
            {
                sample[i] = table[from[i]];
            }

            start += plane;
            sample = sample[plane..];
        }
    }
}
