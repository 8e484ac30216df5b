using System.Globalization;
using System.IO.Compression;

namespace MaestroDeploy.Data;

/// <summary>The handwritten digits inside the assembly, so that there is always something to train on. See ATTRIBUTION.md.</summary>
static class EmbeddedDigits
{
    const string Name = "digits", Resource = "digits.csv.gz";
    const int TestEvery = 5;

    static readonly PixelScaling Scaling = PixelScaling.ToUnit(16);

    /// <summary>Every fifth image of each digit is for testing: 355 of the 1,797, the same ones each time.</summary>
    public static DataSet Load()
    {
        var seen = new int[10];
        var parts = Images().ToLookup(image => ++seen[image.Label] % TestEvery == 0);
        return new DataSet(Name, Split($"{Name}/train", parts[false]), Split($"{Name}/test", parts[true]), Scaling.Words);
    }

    static SampleSet Split(string name, IEnumerable<(byte[] Pixels, int Label)> images) => SampleSet.FromPixels(
        name, [1, 8, 8], 10, [.. images.SelectMany(image => image.Pixels)], [.. images.Select(image => image.Label)], Scaling);

    static IEnumerable<(byte[] Pixels, int Label)> Images()
    {
        using var resource = typeof(EmbeddedDigits).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The assembly was built without its resource {Resource}.");
        using var lines = new StreamReader(new GZipStream(resource, CompressionMode.Decompress));
        while (lines.ReadLine() is { } line)
        {
            var values = Array.ConvertAll(line.Split(','), value => byte.Parse(value, CultureInfo.InvariantCulture));
            yield return (values[..^1], values[^1]);
        }
    }
}
