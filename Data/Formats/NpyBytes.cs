using System.Collections.Immutable;

namespace MaestroDeploy.Data;

/// <summary>An array as NumPy saved it, its values left as the bytes that they are: nothing is rounded.</summary>
public sealed record NpyBytes
{
    /// <param name="shape">The extent of each axis; empty for a single value.</param>
    /// <param name="dtype">NumPy's name of the type, such as <c>int64</c>.</param>
    /// <param name="bytes">The values, row-major, little-endian.</param>
    /// <exception cref="ArgumentException">The type is not known, or the bytes do not fill the shape.</exception>
    public NpyBytes(ImmutableArray<int> shape, string dtype, byte[] bytes)
    {
        Type = NpyType.All.FirstOrDefault(known => known.Name == dtype) ?? throw new ArgumentException(
            $"'{dtype}' is none of {string.Join(", ", NpyType.All.Select(known => known.Name))}.", nameof(dtype));
        if (bytes.LongLength != (long?)Extents.Product(shape) * Type.Size)
        {
            throw new ArgumentException($"{bytes.Length} bytes do not fill the shape [{string.Join(", ", shape)}] of {dtype}.", nameof(bytes));
        }

        Shape = shape;
        Bytes = bytes;
    }

    /// <summary>The extent of each axis; empty for a single value.</summary>
    public ImmutableArray<int> Shape { get; }

    /// <summary>NumPy's name of the type, such as <c>float32</c>, <c>int64</c> or <c>bool</c>.</summary>
    public string DType => Type.Name;

    /// <summary>The values, row-major, little-endian.</summary>
    public byte[] Bytes { get; }

    internal NpyType Type { get; }
}
