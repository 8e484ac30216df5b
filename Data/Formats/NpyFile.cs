using System.Collections.Immutable;

namespace MaestroDeploy.Data;

/// <summary>NumPy's <c>.npy</c>: one array in a file. Pickled objects are never read.</summary>
public static class NpyFile
{
    const int ElementsAtATime = 8192;

    /// <summary>Reads little-endian float32, float64, int32, int64 or uint8 in C order, of format version 1 to 3.</summary>
    /// <exception cref="DataFormatException">The file is of another kind, or its length is not what its header promises.</exception>
    public static NpyArray Read(string path)
    {
        using var file = File.OpenRead(path);
        return Read(file, file.Length, path);
    }

    /// <summary>Writes float32 values to a file that appears whole or not at all, in place of one already there.</summary>
    /// <param name="path">Where to write; its folder exists.</param>
    /// <param name="shape">The extent of each axis; empty for a single value.</param>
    /// <param name="values">As many values as the product of <paramref name="shape"/>, row-major.</param>
    /// <exception cref="ArgumentException">The number of values is not the product of the shape.</exception>
    public static void Write(string path, ImmutableArray<int> shape, float[] values)
    {
        var array = new NpyArray(shape, values, "float32"); // refuses what does not fit together
        var beside = $"{path}.{Guid.NewGuid():n}.tmp";
        try
        {
            using (var file = new BinaryWriter(File.Create(beside))) // little-endian on every machine
            {
                file.Write(NpyHeader.ForFloats(array.Shape));
                foreach (var value in array.Values)
                {
                    file.Write(value);
                }
            }

            File.Move(beside, path, overwrite: true);
        }
        finally
        {
            File.Delete(beside);
        }
    }

    /// <summary>Reads a stream of <paramref name="length"/> bytes, which messages call <paramref name="source"/>.</summary>
    internal static NpyArray Read(Stream stream, long length, string source)
    {
        try
        {
            var header = NpyHeader.Read(stream, length, source);
            return new NpyArray(header.Shape, ReadValues(stream, header), header.Type.Name);
        }
        catch (EndOfStreamException e)
        {
            throw new DataFormatException(source, "ends before its array does.", e);
        }
    }

    static float[] ReadValues(Stream stream, NpyHeader header)
    {
        var (size, toFloat) = (header.Type.Size, header.Type.ToFloat);
        var values = new float[header.Count];
        var buffer = new byte[ElementsAtATime * size];
        for (var done = 0; done < values.Length; done += ElementsAtATime)
        {
            var some = values.AsSpan(done, Math.Min(ElementsAtATime, values.Length - done));
            stream.ReadExactly(buffer.AsSpan(0, some.Length * size));
            for (var i = 0; i < some.Length; i++)
            {
                some[i] = toFloat(buffer.AsSpan(i * size));
            }
        }

        return values;
    }
}
