using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;

namespace MaestroDeploy.Data;

/// <summary>Images that stay in their files, JPEG or PNG, and are decoded, cut to a square and scaled each time they are copied.</summary>
/// <param name="paths">The files.</param>
/// <param name="size">The side of the square, in pixels.</param>
/// <param name="scaling">What the pixels become, a table for each of red, green and blue.</param>
sealed class ImageStorage(string[] paths, int size, PixelScaling scaling) : SampleStorage
{
    const int Channels = 3;
    const int MostPixels = 100_000_000;
    const int PixelsAByte = 8; // of a PNG in black and white

    // No other format is ever parsed, whatever a file's name says.
    static readonly Configuration Formats = new(new JpegConfigurationModule(), new PngConfigurationModule());

    public override long Length => (long)paths.Length * Channels * size * size;

    public override float Black(int channel) => scaling.Black(channel);

    public override SampleStorage Scaled(PixelScaling other) => new ImageStorage(paths, size, other);

    public override void Copy(int row, Span<float> sample)
    {
        var pixels = new byte[sample.Length]; // [size, size, 3]
        Decode(paths[row], pixels);
        var plane = size * size;
        for (var channel = 0; channel < Channels; channel++)
        {
            var table = scaling.Tables[channel];
            for (var i = 0; i < plane; i++)
            {
                sample[channel * plane + i] = table[pixels[Channels * i + channel]];
            }
        }
    }

    void Decode(string path, byte[] pixels)
    {
        var file = File.ReadAllBytes(path); // so that what fails below is due to what is in it
        try
        {
            CheckExtent(path, file);
            using var image = Image.Load<Rgb24>(Formats, new MemoryStream(file));
            image.Mutate(change => change.Crop(Middle(image.Width, image.Height)).Resize(size, size, KnownResamplers.Triangle));
            image.CopyPixelDataTo(pixels);
        }
        catch (Exception e) when (e is not (DataFormatException or OutOfMemoryException))
        {
            // Over a damaged file the decoder stumbles in any way: null references and indices out of range among them.
            throw new DataFormatException(path, "is not a JPEG or PNG image that can be read; replace or remove it.", e);
        }
    }

    // The header is read alone, before memory is set aside for what it claims.
    static void CheckExtent(string path, byte[] file)
    {
        var header = Image.Identify(Formats, new MemoryStream(file))
            ?? throw new DataFormatException(path, "is neither a JPEG nor a PNG image; replace or remove it.");
        var limit = Math.Min(MostPixels, PixelsAByte * Deflated.LimitFor(file.Length));
        if ((long)header.Width * header.Height > limit)
        {
            throw new DataFormatException(path, $"claims {header.Width} x {header.Height} pixels; one of its size can have {limit:N0}.");
        }
    }

    // Published models are measured on the middle 224 of 256 pixels: 7/8 of the shorter side, cut out before it is resized.
    static Rectangle Middle(int width, int height)
    {
        var side = Math.Max(1, Math.Min(width, height) * 7 / 8);
        return new Rectangle((width - side) / 2, (height - side) / 2, side, side);
    }
}
