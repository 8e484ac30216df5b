using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace MaestroDeploy.Data;

/// <summary>NumPy's <c>.npy</c>: one array in a file, little-endian and in C order. Pickled objects are never read.</summary>
public static class NpyFile
{
    const int ElementsAtATime = 8192;

    /// <summary>Reads an array of numbers or truth values, of format version 1 to 3, as floats.</summary>
    /// <exception cref="DataFormatException">The file is of another kind, or its length is not what its header promises.</exception>
    public static NpyArray Read(string path)
    {
        using var file = File.OpenRead(path);
        return Read(file, file.Length, path);
    }

    /// <summary>Reads such an array as the bytes that it has.</summary>
    /// <inheritdoc cref="Read(string)" path="/exception"/>
    public static NpyBytes ReadBytes(string path)
    {
        using var file = File.OpenRead(path);
        return ReadBytes(file, file.Length, path);
    }

    /// <summary>Writes float32 values to a file that appears whole or not at all, in place of one already there.</summary>
    /// <param name="path">Where to write; its folder exists.</param>
    /// <param name="shape">The extent of each axis; empty for a single value.</param>
    /// <param name="values">As many values as the product of <paramref name="shape"/>, row-major.</param>
    /// <exception cref="ArgumentException">The number of values is not the product of the shape.</exception>
    public static void Write(string path, ImmutableArray<int> shape, float[] values) =>
        Write(path, new NpyBytes(shape, "float32", MemoryMarshal.AsBytes(values.AsSpan()).ToArray())); // ONNX Runtime has no big-endian machine

    /// <summary>Writes an array to a file that appears whole or not at all, in place of one already there.</summary>
    /// <param name="path">Where to write; its folder exists.</param>
    /// <param name="array">What to write.</param>
    public static void Write(string path, NpyBytes array) => FileBeside.Write(path, file => Write(file, array));

    /// <summary>Reads a stream of <paramref name="length"/> bytes, which messages call <paramref name="source"/>, as floats.</summary>
    internal static NpyArray Read(Stream stream, long length, string source) =>
        Read(stream, length, source, header => new NpyArray(header.Shape, ReadValues(stream, header), header.Type.Name));

    /// <summary>Reads such a stream as the bytes that it has.</summary>
    internal static NpyBytes ReadBytes(Stream stream, long length, string source) => Read(stream, length, source, header =>
    {
        var size = (long)header.Count * header.Type.Size;
        var bytes = size <= Array.MaxLength ? new byte[size] : throw new DataFormatException(source, $"its values take {size} bytes; {Array.MaxLength} is the most.");
        stream.ReadExactly(bytes);
        return new NpyBytes(header.Shape, header.Type.Name, bytes);
    });

    internal static void Write(Stream stream, NpyBytes array)
    {
        stream.Write(NpyHeader.For(array.Type, array.Shape));
        stream.Write(array.Bytes);
    }

    static T Read<T>(Stream stream, long length, string source, Func<NpyHeader, T> rest)
    {
        try
        {
            return rest(NpyHeader.Read(stream, length, source));
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
