namespace MaestroDeploy.Data;

/// <summary>Data sets to learn classes from: those that have a name, and those of one's own.</summary>
public static class DataSets
{
    static readonly (string Name, Func<string?, DataSet> Load)[] Known =
    [
        ("digits", _ => EmbeddedDigits.Load()),
        (PublicSets.Mnist.Name, dataDir => LoadLikeMnist(PublicSets.Mnist, dataDir)),
        (PublicSets.FashionMnist.Name, dataDir => LoadLikeMnist(PublicSets.FashionMnist, dataDir)),
        (PublicSets.Cifar10.Name, dataDir => LoadCifar(PublicSets.Cifar10, dataDir)),
    ];

    static readonly (string Prefix, string Form, Func<string, DataSet> Load)[] Own =
    [
        ("images:", "images:DIR[:SIZE]", ImageFolder.Load),
        ("npz:", "npz:FILE", NpzDataSet.Load),
    ];

    static readonly PixelScaling MnistScaling = PixelScaling.ToUnit(255);

    // The means and deviations of CIFAR-10's training pixels, as most published models use them.
    static readonly PixelScaling CifarScaling = PixelScaling.Normalise([0.4914, 0.4822, 0.4465], [0.2023, 0.1994, 0.2010]);

    /// <summary>The sets that have a name: digits, mnist, fashion-mnist, cifar10.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Known.Select(set => set.Name)];

    /// <summary>Every form of what <see cref="Load"/> takes: <see cref="Names"/>, <c>images:DIR[:SIZE]</c>, <c>npz:FILE</c>.</summary>
    public static IReadOnlyList<string> Forms { get; } = [.. Names, .. Own.Select(set => set.Form)];

    /// <summary>Reads a set. <c>digits</c> is always there; <see cref="DataLocations"/> finds the others that have a name.</summary>
    /// <remarks>
    /// <para><c>images:DIR</c> is a folder of <c>train/CLASS/*</c> and <c>val/CLASS/*</c> (or <c>test</c>) in JPEG and PNG, the classes
    /// in the order of their names' characters' codes. The middle of each image, 7/8 of its shorter side, becomes <c>[3, SIZE, SIZE]</c>, 224
    /// unless said, in ImageNet's scaling. Files are read each time their samples are copied.</para>
    /// <para><c>npz:FILE</c> is a file of NumPy's with <c>x_train</c>, <c>y_train</c>, <c>x_test</c> and <c>y_test</c>: samples
    /// <c>[n, C, H, W]</c>, <c>[n, H, W]</c> or <c>[n, features]</c> and a label each. Pixels (uint8) are divided by 255, floats are
    /// taken as they are.</para>
    /// </remarks>
    /// <param name="spec">In one of <see cref="Forms"/>.</param>
    /// <param name="dataDir">The only folder to look in for a set that has a name; null looks in the usual ones.</param>
    /// <exception cref="ArgumentException"><paramref name="spec"/> is in none of the forms.</exception>
    /// <exception cref="DataFormatException">The set is not there, or a file of it is broken.</exception>
    public static DataSet Load(string spec, string? dataDir = null)
    {
        if (Known.FirstOrDefault(set => set.Name == spec).Load is { } load)
        {
            return load(dataDir);
        }

        var own = Own.FirstOrDefault(set => spec.StartsWith(set.Prefix, StringComparison.Ordinal) && spec.Length > set.Prefix.Length);
        return own.Load is not null
            ? own.Load(spec[own.Prefix.Length..])
            : throw new ArgumentException($"There is no data set '{spec}'; known are {string.Join(", ", Forms)}.", nameof(spec));
    }

    static DataSet LoadLikeMnist(PublicSet set, string? dataDir)
    {
        var folder = DataLocations.Find(set, dataDir);
        return new DataSet(set.Name, Split("train", "train"), Split("test", "t10k"), MnistScaling.Words);

        SampleSet Split(string split, string prefix) => ReadIdxPair(
            $"{set.Name}/{split}", set.Find(folder, $"{prefix}-images-idx3-ubyte")!, set.Find(folder, $"{prefix}-labels-idx1-ubyte")!);
    }

    static SampleSet ReadIdxPair(string name, string imagesPath, string labelsPath)
    {
        const int Classes = 10;
        var images = IdxFile.Read(imagesPath, axes: 3);
        if (images.Shape is not [> 0, 28, 28])
        {
            throw new DataFormatException(imagesPath, $"expected images of 28 x 28, found {string.Join(" x ", images.Shape)}.");
        }

        var labels = IdxFile.Read(labelsPath, axes: 1).Values;
        if (labels.Length != images.Shape[0] || labels.Any(label => label >= Classes))
        {
            throw new DataFormatException(
                labelsPath, $"expected {images.Shape[0]} labels below {Classes}, found {labels.Length} of up to {labels.DefaultIfEmpty().Max()}.");
        }

        return SampleSet.FromPixels(name, [1, 28, 28], Classes, images.Values, Array.ConvertAll(labels, label => (int)label), MnistScaling);
    }

    static DataSet LoadCifar(PublicSet set, string? dataDir)
    {
        var folder = Path.Combine(DataLocations.Find(set, dataDir), set.Folder);
        string[] train = [.. Enumerable.Range(1, 5).Select(i => $"data_batch_{i}.bin")];
        return new DataSet(set.Name, Split("train", train), Split("test", "test_batch.bin"), CifarScaling.Words);

        SampleSet Split(string split, params string[] files)
        {
            var (pixels, labels) = CifarFiles.Read([.. files.Select(file => Path.Combine(folder, file))]);
            return SampleSet.FromPixels($"{set.Name}/{split}", [3, 32, 32], CifarFiles.Classes, pixels, labels, CifarScaling);
        }
    }
}
