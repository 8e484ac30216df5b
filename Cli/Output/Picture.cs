using SkiaSharp;
using Svg.Skia;
using Svg.Skia.TypefaceProviders;

namespace MaestroDeploy.Cli.Output;

/// <summary>An SVG picture as pixels.</summary>
static class Picture
{
    const float PixelsAUnit = 2; // sharp on dense screens, and in print
    const int PngQuality = 100;

    /// <summary>The picture as a PNG file, in letters that the program brings: what is installed differs, and may be nothing.</summary>
    /// <param name="svg">A whole SVG document.</param>
    /// <exception cref="CommandException">The document cannot be drawn.</exception>
    public static byte[] Png(string svg)
    {
        using var font = Font();
        using var picture = new SKSvg();
        picture.Settings.TypefaceProviders = [new OneTypeface(font)];
        using var drawn = picture.FromSvg(svg) ?? throw new CommandException("The picture could not be drawn; the page has it all the same.");
        using var stream = new MemoryStream();
        picture.Save(stream, SKColors.White, SKEncodedImageFormat.Png, PngQuality, PixelsAUnit, PixelsAUnit);
        return stream.ToArray();
    }

    static SKTypeface Font()
    {
        using var stream = typeof(Picture).Assembly.GetManifestResourceStream("Inter.otf")!;
        return SKTypeface.FromStream(stream)!;
    }

    sealed class OneTypeface(SKTypeface typeface) : ITypefaceProvider
    {
        public SKTypeface FromFamilyName(string fontFamily, SKFontStyleWeight fontWeight, SKFontStyleWidth fontWidth, SKFontStyleSlant fontStyle) => typeface;
    }
}
