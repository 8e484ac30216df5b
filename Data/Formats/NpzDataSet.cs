using System.Collections.Immutable;

namespace MaestroDeploy.Data;

/// <summary>A data set of one's own in a <c>.npz</c> file: <c>x_train</c>, <c>y_train</c>, <c>x_test</c> and <c>y_test</c>.</summary>
static class NpzDataSet
{
    const int MostClasses = 1 << 16; // a label beyond is a mistake, and its classes would be counted one by one

    static readonly string[] Wanted = ["x_train", "y_train", "x_test", "y_test"];
    static readonly PixelScaling Scaling = PixelScaling.ToUnit(255);

    /// <summary>Reads samples <c>[n, C, H, W]</c>, <c>[n, H, W]</c> or <c>[n, features]</c> with a label each; uint8 is scaled, floats are not.</summary>
    /// <exception cref="DataFormatException">The file is absent or broken, or its arrays are not these or do not go together.</exception>
    public static DataSet Load(string path)
    {
        var names = NpzFile.Names(path);
        if (Wanted.Except(names).ToArray() is { Length: > 0 } missing)
        {
            throw new DataFormatException(
                path,
                $"lacks {string.Join(", ", missing)}; it has {string.Join(", ", names)}. "
                + $"Save it with numpy.savez(path, {string.Join(", ", Wanted.Select(array => $"{array}=…"))}).");
        }

        var arrays = NpzFile.Read(path, Wanted); // names of classes may lie beside them
        var (train, test) = (Samples(path, arrays, "x_train"), Samples(path, arrays, "x_test"));
        if (!SampleShape(path, train).SequenceEqual(SampleShape(path, test)) || train.DType != test.DType)
        {
            throw new DataFormatException(path, $"x_train is {Described(train)} and x_test is {Described(test)}; they differ in more than their number.");
        }

        var name = Path.GetFileNameWithoutExtension(path);
        var (trainLabels, testLabels) = (Labels(path, arrays, "y_train", train), Labels(path, arrays, "y_test", test));
        var classes = 1 + Math.Max(trainLabels.Max(), testLabels.Max());
        var words = IsPixels(train) ? Scaling.Words : "values as they are";
        return new DataSet(name, Split($"{name}/train", train, trainLabels), Split($"{name}/test", test, testLabels), words);

        SampleSet Split(string split, NpyArray samples, int[] labels) => IsPixels(samples)
            ? SampleSet.FromPixels(split, SampleShape(path, samples), classes, Array.ConvertAll(samples.Values, value => (byte)value), labels, Scaling)
            : SampleSet.FromFloats(split, SampleShape(path, samples), classes, samples.Values, labels);
    }

    static NpyArray Samples(string path, IReadOnlyDictionary<string, NpyArray> arrays, string name)
    {
        var samples = arrays[name];
        if (!IsPixels(samples) && samples.DType is not ("float32" or "float64") || samples.Values.Length == 0)
        {
            throw new DataFormatException(path, $"{name} is {Described(samples)}; expected at least one sample, in uint8, float32 or float64.");
        }

        return Array.TrueForAll(samples.Values, float.IsFinite)
            ? samples
            : throw new DataFormatException(path, $"{name} has values that are not finite; every one should be a number.");
    }

    static ImmutableArray<int> SampleShape(string path, NpyArray samples) => samples.Shape switch
    {
        [_, _, _, 1 or 3 or 4] and [_, not (1 or 3 or 4) and var rows, var columns, _] when IsPixels(samples) || rows == columns => throw new DataFormatException(
            path, $"its samples, {Described(samples)}, have their channels last; save numpy.ascontiguousarray(x.transpose(0, 3, 1, 2)) instead."),
        [_, var height, var width] => [1, height, width],
        [_, .. { Length: 1 or 3 } sample] => [.. sample],
        _ => throw new DataFormatException(path, $"its samples are {Described(samples)}; expected [n, C, H, W], [n, H, W] or [n, features]."),
    };

    static int[] Labels(string path, IReadOnlyDictionary<string, NpyArray> arrays, string name, NpyArray samples)
    {
        var labels = arrays[name];
        if (!labels.DType.Contains("int", StringComparison.Ordinal) || !labels.Shape.SequenceEqual([samples.Shape[0]]))
        {
            throw new DataFormatException(path, $"{name} is {Described(labels)}; expected an integer for each of the {samples.Shape[0]} samples.");
        }

        return Array.FindIndex(labels.Values, label => label is < 0 or >= MostClasses) is >= 0 and var wrong
            ? throw new DataFormatException(path, $"{name}[{wrong}] is {labels.Values[wrong]}; expected labels from 0 to {MostClasses - 1}.")
            : Array.ConvertAll(labels.Values, label => (int)label);
    }

    static bool IsPixels(NpyArray samples) => samples.DType == "uint8";

    static string Described(NpyArray array) => $"{array.DType} [{string.Join(", ", array.Shape)}]";
}
