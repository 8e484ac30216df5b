namespace MaestroDeploy.Data;

/// <summary>The binary version of CIFAR-10: records of a label byte and 32x32 pixels of red, then of green, then of blue.</summary>
/// <remarks>Source: A. Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html.</remarks>
static class CifarFiles
{
    public const int Classes = 10;
    public const int PixelsPerRecord = 3 * 32 * 32;
    const int RecordLength = 1 + PixelsPerRecord;

    /// <summary>Reads the files one after another as a single run: pixels <c>[n, 3, 32, 32]</c> and labels <c>[n]</c>.</summary>
    /// <exception cref="DataFormatException">A file is not a whole number of records, or a label is above 9.</exception>
    public static (byte[] Pixels, int[] Labels) Read(IReadOnlyCollection<string> paths)
    {
        var count = paths.Sum(RecordsIn);
        if (count * PixelsPerRecord > Array.MaxLength)
        {
            throw new DataFormatException(paths.First(), $"with its companions it has {count} records, more than memory is set aside for.");
        }

        var pixels = new byte[count * PixelsPerRecord];
        var labels = new int[count];
        var next = 0;
        foreach (var path in paths)
        {
            using var file = File.OpenRead(path);
            for (var left = RecordsIn(path); left > 0; left--, next++)
            {
                labels[next] = Label(path, file.ReadByte());
                file.ReadExactly(pixels, next * PixelsPerRecord, PixelsPerRecord);
            }
        }

        return (pixels, labels);
    }

    static long RecordsIn(string path)
    {
        var (records, rest) = Math.DivRem(new FileInfo(path).Length, RecordLength);
        return records > 0 && rest == 0
            ? records
            : throw new DataFormatException(path, $"expected records of {RecordLength} bytes, found {records} and {rest} bytes over.");
    }

    static int Label(string path, int label) =>
        (uint)label < Classes ? label : throw new DataFormatException(path, $"expected labels 0 to {Classes - 1}, found {label}.");
}
