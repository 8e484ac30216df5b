namespace MaestroDeploy.Data;

/// <summary>Random changes to training images that leave their class as it is: a shift, and a turn to their mirror image.</summary>
/// <remarks>A shift is the usual random crop: of the image with a black border all around, a window of the image's own size.</remarks>
/// <param name="CropPadding">The width of the border in pixels, at least 0: an image is shifted that far at most, each way; 0 shifts nothing.</param>
/// <param name="Flip">Whether half of the images are mirrored left to right.</param>
public sealed record Augmentation(int CropPadding, bool Flip)
{
    /// <summary>How far an image is shifted at most, up, down, left and right: in pixels, at least 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">On construction: it is negative.</exception>
    public int CropPadding { get; } = CropPadding >= 0
        ? CropPadding
        : throw new ArgumentOutOfRangeException(nameof(CropPadding), CropPadding, "A border is 0 pixels wide or more.");

    /// <summary>Makes sure that a set can be augmented so.</summary>
    /// <exception cref="ArgumentException">The set's samples are not <c>[C, H, W]</c>, or the border is as wide as they are.</exception>
    public void Check(SampleSet set) => SizeOf(set);

    /// <summary>Changes images in place. Each takes three numbers from <paramref name="random"/>, whatever is done to it.</summary>
    /// <param name="samples">Begins with the images, <c>[count, C, H, W]</c> row-major, scaled as those of <paramref name="set"/>.</param>
    /// <param name="count">How many images there are, at least 0.</param>
    /// <param name="set">The set they come from, which tells their shape and what black is in each channel.</param>
    /// <param name="random">Decides; the same state of it changes the images alike.</param>
    /// <exception cref="ArgumentException">
    /// The set's samples are not <c>[C, H, W]</c>, the border is as wide as they are, or there are fewer than <paramref name="count"/>.
    /// </exception>
    public void Apply(Span<float> samples, int count, SampleSet set, Random random)
    {
        var (channels, height, width) = SizeOf(set);
        var step = set.Layout == SampleLayout.Nhwc ? channels : 1; // from a pixel to its neighbour
        if (count < 0 || samples.Length < (long)count * set.SampleSize)
        {
            throw new ArgumentException($"{samples.Length} floats do not hold {count} samples of {set.SampleSize}.", nameof(count));
        }

        var scratch = new float[height * width * step];
        float[] black = [.. Enumerable.Range(0, channels).Select(set.Black)];
        for (var image = 0; image < count; image++)
        {
            var (down, right, mirror) = (Below(2 * CropPadding + 1) - CropPadding, Below(2 * CropPadding + 1) - CropPadding, Below(2) == 1);
            for (var channel = 0; channel < channels; channel += step, samples = samples[scratch.Length..])
            {
                var plane = samples[..scratch.Length];
                plane.CopyTo(scratch);
                Crop(scratch, plane, width * step, down, right * step, black.AsSpan(channel, step));
                if (Flip && mirror)
                {
                    Mirror(plane, width * step, step);
                }
            }
        }

        // Unlike Next, which may draw again, it takes one number of any kind of generator.
        int Below(int limit) => (int)(random.NextDouble() * limit);
    }

    /// <summary>Cuts the window that begins that many pixels further down and right; negative is up and left.</summary>
    static void Crop(ReadOnlySpan<float> from, Span<float> plane, int width, int down, int right, ReadOnlySpan<float> black)
    {
        for (var i = 0; i < plane.Length; i += black.Length)
        {
            black.CopyTo(plane[i..]);
        }

        var height = plane.Length / width;
        for (var y = Math.Max(0, -down); y < Math.Min(height, height - down); y++)
        {
            var source = from.Slice((y + down) * width, width);
            var row = plane.Slice(y * width, width);
            source[Math.Max(0, right)..Math.Min(width, width + right)].CopyTo(row[Math.Max(0, -right)..]);
        }
    }

    static void Mirror(Span<float> plane, int width, int step)
    {
        for (; !plane.IsEmpty; plane = plane[width..])
        {
            plane[..width].Reverse();
            for (var i = 0; step > 1 && i < width; i += step)
            {
                plane.Slice(i, step).Reverse(); // the pixel's own channels stay in their order
            }
        }
    }

    (int Channels, int Height, int Width) SizeOf(SampleSet set)
    {
        if (set.ImageShape is not [var channels, var height, var width])
        {
            throw new ArgumentException(
                $"{set.Name}: only images [C, H, W] can be augmented, and its samples are [{string.Join(", ", set.SampleShape)}].", nameof(set));
        }

        return CropPadding < Math.Min(height, width)
            ? (channels, height, width)
            : throw new ArgumentException($"{set.Name}: a crop padding of {CropPadding} could move its images of {height} x {width} out of sight.", nameof(set));
    }
}
