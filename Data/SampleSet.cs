using System.Collections.Immutable;
using System.Globalization;

namespace MaestroDeploy.Data;

/// <summary>The labelled samples of one split. Nothing in it changes, so threads may share it.</summary>
/// <remarks>
/// Pixels rest in memory as bytes and are scaled to float on each copy: MNIST takes 47 MB instead of 188. A folder's images
/// rest in their files.
/// </remarks>
public sealed class SampleSet
{
    readonly SampleStorage _storage;
    readonly int[] _rows; // which stored sample each of ours is: a subset shares its parent's storage
    readonly int[] _labels;

    SampleSet(string name, ImmutableArray<int> sampleShape, int classes, SampleStorage storage, int[] rows, int[] labels)
    {
        Name = name;
        ImageShape = sampleShape;
        SampleShape = sampleShape;
        SampleSize = Extents.Product(sampleShape) ?? throw new ArgumentException($"{name}: a sample is too large.", nameof(sampleShape));
        Classes = classes;
        _storage = storage;
        _rows = rows;
        _labels = labels;
    }

    /// <summary>The set and the split, such as <c>digits/test</c>.</summary>
    public string Name { get; }

    /// <summary>The shape of one sample, <c>[C, H, W]</c> for images unless laid out otherwise: the batch axis is not in it.</summary>
    public ImmutableArray<int> SampleShape { get; }

    /// <summary>How <see cref="As"/> laid the samples out; null where they are as they were read.</summary>
    public SampleLayout? Layout { get; private init; }

    /// <summary>The shape of a sample as it was read, whatever its layout: <c>[C, H, W]</c> for images.</summary>
    internal ImmutableArray<int> ImageShape { get; private init; }

    /// <summary>How many floats one sample takes: the product of <see cref="SampleShape"/>.</summary>
    public int SampleSize { get; }

    /// <summary>How many samples there are, at least 1.</summary>
    public int Count => _rows.Length;

    /// <summary>How many classes the labels tell apart.</summary>
    public int Classes { get; }

    /// <summary>The class of each sample, <c>[Count]</c>, each in [0, <see cref="Classes"/>).</summary>
    public ReadOnlySpan<int> Labels => _labels;

    /// <summary>Makes a set of samples that are floats already. The arrays are kept, not copied: leave them alone.</summary>
    /// <param name="name">What to call the set.</param>
    /// <param name="sampleShape">The shape of one sample, every extent at least 1.</param>
    /// <param name="classes">How many classes there are, at least 1.</param>
    /// <param name="samples">The values, <c>[labels.Length, ...sampleShape]</c> row-major.</param>
    /// <param name="labels">The class of each sample, at least one, each in [0, <paramref name="classes"/>).</param>
    /// <exception cref="ArgumentException">There are no samples, the lengths do not agree, or a label is out of range.</exception>
    public static SampleSet FromFloats(string name, ImmutableArray<int> sampleShape, int classes, float[] samples, int[] labels) =>
        FromStorage(name, sampleShape, classes, new FloatStorage(samples), labels);

    /// <summary>Makes a set of pixels, <c>[labels.Length, C, H, W]</c>, that <paramref name="scaling"/> turns into floats.</summary>
    internal static SampleSet FromPixels(
        string name, ImmutableArray<int> sampleShape, int classes, byte[] pixels, int[] labels, PixelScaling scaling) =>
        FromStorage(name, sampleShape, classes, new PixelStorage(pixels, scaling), labels);

    /// <summary>Makes a set of what a storage holds, <c>[labels.Length, ...sampleShape]</c>.</summary>
    internal static SampleSet FromStorage(string name, ImmutableArray<int> sampleShape, int classes, SampleStorage storage, int[] labels)
    {
        if (sampleShape.IsDefault || sampleShape.Any(extent => extent < 1))
        {
            throw new ArgumentException("Every extent of a sample's shape is at least 1.", nameof(sampleShape));
        }

        var set = new SampleSet(name, sampleShape, classes, storage, [.. Enumerable.Range(0, labels.Length)], labels);
        if (labels.Length == 0 || storage.Length != (long)labels.Length * set.SampleSize)
        {
            throw new ArgumentException(
                $"{name}: {labels.Length} labels do not go with {storage.Length} values in samples of {set.SampleSize}.", nameof(labels));
        }

        if (Array.FindIndex(labels, label => (uint)label >= (uint)classes) is >= 0 and var wrong)
        {
            throw new ArgumentException($"{name}: sample {wrong} has label {labels[wrong]}, outside [0, {classes}).", nameof(labels));
        }

        return set;
    }

    /// <summary>Decodes the samples at <paramref name="indices"/>, in that order.</summary>
    /// <param name="indices">Which samples, <c>[n]</c>, each in [0, <see cref="Count"/>); the same one may come twice.</param>
    /// <param name="destination">Receives <c>[n, C, H, W]</c> row-major; what lies beyond is left as it is.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is too short, or an index is out of range.</exception>
    /// <exception cref="DataFormatException">An image's file is broken.</exception>
    public void CopySamples(ReadOnlySpan<int> indices, Span<float> destination)
    {
        var needed = (long)indices.Length * SampleSize;
        if (destination.Length < needed)
        {
            throw new ArgumentException(
                $"{indices.Length} samples of {SampleSize} floats need {needed}; there is room for {destination.Length}.",
                nameof(destination));
        }

        foreach (var index in indices)
        {
            if ((uint)index >= (uint)Count)
            {
                throw new ArgumentOutOfRangeException(nameof(indices), index, $"{Name} has samples 0 to {Count - 1}.");
            }

            _storage.Copy(_rows[index], destination[..SampleSize]);
            destination = destination[SampleSize..];
        }
    }

    /// <summary>What a black pixel becomes in a channel, 0 where the samples were floats from the start.</summary>
    internal float Black(int channel) => _storage.Black(channel);

    /// <summary>The same samples as a model wants them that was trained elsewhere.</summary>
    /// <param name="format">What it wants.</param>
    /// <exception cref="ArgumentException">They have a format already, or cannot be brought into that one.</exception>
    public SampleSet As(SampleFormat format)
    {
        var isReversed = format.Channels == ChannelOrder.Bgr;
        var isLast = format.Layout == SampleLayout.Nhwc;
        if (Layout is not null || isReversed && ImageShape is not [3, _, _] || format.Layout is SampleLayout.Nhwc or SampleLayout.Nchw && ImageShape.Length != 3)
        {
            throw new ArgumentException($"{Name}: its samples are [{string.Join(", ", SampleShape)}]; --layout nchw and nhwc are for images [C, H, W], and --channels bgr for those of three colours.", nameof(format));
        }

        var storage = ScalingBy(format) is { } scaling ? _storage.Scaled(scaling) : _storage;
        storage = isLast || isReversed ? new ArrangedStorage(storage, ImageShape[0], isLast, isReversed) : storage;
        ImmutableArray<int> shape = format.Layout switch
        {
            SampleLayout.Nhwc => [ImageShape[1], ImageShape[2], ImageShape[0]],
            SampleLayout.Flat => [SampleSize],
            _ => SampleShape,
        };
        return new SampleSet(Name, shape, Classes, storage, _rows, _labels) { Layout = format.Layout, ImageShape = ImageShape };
    }

    /// <summary>The shape in which a graph takes one of these samples; null where it does not, as they are laid out.</summary>
    /// <remarks>Axes of size 1 may come or go. A flat set goes into any shape of as many numbers.</remarks>
    /// <param name="axes">The axes of the graph's input after the batch; null where it leaves one open.</param>
    public int[]? ShapeFor(IReadOnlyList<int?> axes)
    {
        if (axes.Count == SampleShape.Length && axes.Zip(SampleShape).All(axis => (axis.First ?? axis.Second) == axis.Second))
        {
            return [.. SampleShape];
        }

        int[] sizes = [.. axes.OfType<int>()];
        var fits = sizes.Length == axes.Count && (Layout == SampleLayout.Flat
            ? Extents.Product(sizes) == SampleSize
            : sizes.Where(size => size != 1).SequenceEqual(SampleShape.Where(size => size != 1)));
        return fits ? sizes : null;
    }

    /// <summary>Why a graph does not take these samples, and what to do, once <see cref="ShapeFor"/> has given none.</summary>
    /// <param name="axes">As there.</param>
    public string Misfit(IReadOnlyList<int?> axes)
    {
        SampleLayout[] others = ImageShape.Length == 3 ? [SampleLayout.Nchw, SampleLayout.Nhwc, SampleLayout.Flat] : [SampleLayout.Flat];
        var plain = new SampleSet(Name, ImageShape, Classes, _storage, _rows, _labels);
        var fitting = others.Where(layout => plain.As(new SampleFormat { Layout = layout }).ShapeFor(axes) is not null).Select(layout => $"--layout {layout.ToString().ToLowerInvariant()}").ToList();
        return $"it takes [N, {string.Join(", ", axes.Select(axis => axis?.ToString(CultureInfo.InvariantCulture) ?? "?"))}], and samples of {Name} are [{string.Join(", ", SampleShape)}]; "
            + (fitting.Count > 0 ? $"{string.Join(" or ", fitting)} brings them into that shape, and --scale, --mean and --std say how they are scaled" : "no layout brings them into that shape");
    }

    /// <summary>The scaling that a format names for these samples; null for their own.</summary>
    internal PixelScaling? ScalingBy(SampleFormat format) => format.ScalingFor(ImageShape.Length == 3 ? ImageShape[0] : 1);

    /// <summary>The whole set in order, decoded as it is walked; the last batch holds what is left.</summary>
    /// <param name="size">Samples in a batch, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="size"/> is below 1.</exception>
    public IEnumerable<Batch> Batches(int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        return Enumerable.Range(0, Count).Chunk(size).Select(BatchOf);
    }

    /// <summary>A smaller set with every class in its proportion: the first samples of each, in the order they stand in here.</summary>
    /// <remarks>The same count always takes the same samples, and a smaller take lies within a larger one.</remarks>
    /// <param name="count">Samples to keep, at least 1; from <see cref="Count"/> on the set comes back whole.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is below 1.</exception>
    public SampleSet Take(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        if (count >= Count)
        {
            return this;
        }

        return Subset(Name, Evenly([.. Enumerable.Range(0, Count)], count));
    }

    /// <summary>Holds out a part for validation, drawn with every class in its proportion; the two share this set's storage.</summary>
    /// <remarks>The part that is kept has this set's name; of <c>mnist/train</c> the other is <c>mnist/validation</c>.</remarks>
    /// <param name="share">How much to hold out, as a share in (0, 1); rounded so that each part has at least one sample.</param>
    /// <param name="seed">The same seed draws the same samples.</param>
    /// <returns>The two parts, each in the order its samples stand in here; every sample is in one of them.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="share"/> is NaN, or not in (0, 1).</exception>
    /// <exception cref="ArgumentException">There is only one sample.</exception>
    public (SampleSet Kept, SampleSet HeldOut) Split(double share, int seed)
    {
        if (!(share > 0 && share < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(share), share, $"{Name}: the share to hold out lies between 0 and 1, both excluded.");
        }

        if (Count < 2)
        {
            throw new ArgumentException($"{Name} has a single sample, and no share of it can be held out.", nameof(share));
        }

        int[] all = [.. Enumerable.Range(0, Count)];
        int[] drawn = [.. all];
        new Random(seed).Shuffle(drawn);
        var heldOut = Evenly(drawn, Math.Clamp((int)Math.Round(share * Count), 1, Count - 1));
        var split = Name.LastIndexOf('/');
        return (
            Subset(Name, [.. all.Except(heldOut)]),
            Subset($"{(split < 0 ? Name : Name[..split])}/validation", heldOut));
    }

    /// <summary>The first <paramref name="count"/> samples of <paramref name="order"/>, each class in its proportion; ascending.</summary>
    int[] Evenly(int[] order, int count)
    {
        // The k-th of a class of n stands at (k + 1/2) / n of its class: taking the lowest ranks takes all classes evenly.
        var size = new int[Classes];
        var seen = new int[Classes];
        foreach (var label in _labels)
        {
            size[label]++;
        }

        var place = Array.ConvertAll(order, i => (seen[_labels[i]]++ + 0.5) / size[_labels[i]]);
        return [.. order.Zip(place).OrderBy(at => at.Second).Take(count).Select(at => at.First).Order()];
    }

    SampleSet Subset(string name, int[] indices) => new(
        name, SampleShape, Classes, _storage, Array.ConvertAll(indices, i => _rows[i]), Array.ConvertAll(indices, i => _labels[i]))
    {
        Layout = Layout,
        ImageShape = ImageShape,
    };

    Batch BatchOf(int[] indices)
    {
        var samples = new float[indices.Length * SampleSize];
        CopySamples(indices, samples);
        return new Batch(samples, Array.ConvertAll(indices, i => _labels[i]), indices.Length);
    }
}
