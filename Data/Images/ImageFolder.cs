using System.Globalization;
using System.Text.RegularExpressions;

namespace MaestroDeploy.Data;

/// <summary>Images in files, a folder a class, in ImageNet's layout: <c>train/CLASS/*</c> and <c>val/CLASS/*</c> or <c>test/CLASS/*</c>.</summary>
static partial class ImageFolder
{
    const int DefaultSize = 224;
    const int LargestSize = 1024;

    static readonly string[] TestSplits = ["val", "test"];
    static readonly string[] Endings = [".jpg", ".jpeg", ".png"];

    // The means and deviations of ImageNet's training pixels, as most published models use them.
    static readonly PixelScaling Scaling = PixelScaling.Normalise([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);

    /// <summary>Finds the images; each is read whenever its sample is copied. Of <c>val</c> and <c>test</c> the first is taken.</summary>
    /// <param name="place">The folder, and where wanted a colon and the side of the samples in pixels, 224 unless said.</param>
    /// <exception cref="ArgumentException">The side is not in [1, 1024].</exception>
    /// <exception cref="DataFormatException">A folder is absent or has no images, or the two splits have different classes.</exception>
    public static DataSet Load(string place)
    {
        var parts = Place.Match(place).Groups;
        var (folder, size) = (parts["folder"].Value, DefaultSize);
        if (parts["size"] is { Success: true, Value: var text }
            && !(int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out size) && size is >= 1 and <= LargestSize))
        {
            throw new ArgumentException($"The side of the images is 1 to {LargestSize} pixels, as in images:{folder}:64; found {text}.", nameof(place));
        }

        var test = TestSplits.FirstOrDefault(split => Directory.Exists(Path.Combine(folder, split)))
            ?? throw new DataFormatException(
                folder, "has no folder val and no folder test beside train; put images of each class aside there that are not trained on.");
        var classes = ClassesIn(folder, "train");
        var testClasses = ClassesIn(folder, test);
        if (classes.Except(testClasses).Concat(testClasses.Except(classes)).FirstOrDefault() is { } only)
        {
            throw new DataFormatException(folder, $"class {only} is only in one of train and {test}; both have a folder for every class.");
        }

        var name = new DirectoryInfo(folder).Name;
        return new DataSet(name, Split("train"), Split(test), Scaling.Words);

        SampleSet Split(string split)
        {
            var images = classes.Index().SelectMany(type => ImagesIn(Path.Combine(folder, split, type.Item)).Select(path => (path, type.Index))).ToArray();
            var storage = new ImageStorage(Array.ConvertAll(images, image => image.path), size, Scaling);
            return SampleSet.FromStorage(
                $"{name}/{split}", [3, size, size], classes.Length, storage, Array.ConvertAll(images, image => image.Index));
        }
    }

    static string[] ClassesIn(string folder, string split)
    {
        var path = Path.Combine(folder, split);
        string[] classes = Directory.Exists(path)
            ? [.. new DirectoryInfo(path).EnumerateDirectories().Select(type => type.Name).Order(StringComparer.Ordinal)]
            : throw new DataFormatException(folder, $"has no folder {split}; expected {split}/CLASS/*{Endings[0]}.");
        return classes.Length > 0 ? classes : throw new DataFormatException(path, "has no folders; expected one for each class.");
    }

    static string[] ImagesIn(string folder)
    {
        string[] images =
        [
            .. Directory.EnumerateFiles(folder)
                .Where(path => Endings.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase))
                .Order(StringComparer.Ordinal),
        ];
        return images.Length > 0 ? images : throw new DataFormatException(folder, $"has no images ({string.Join(", ", Endings)}) of this class.");
    }

    [GeneratedRegex(@"^(?<folder>.+?)(?::(?<size>\d+))?$", RegexOptions.Singleline)]
    static partial Regex Place { get; }
}
