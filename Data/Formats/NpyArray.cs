using System.Collections.Immutable;

namespace MaestroDeploy.Data;

/// <summary>An array as NumPy saved it, its values turned into floats.</summary>
public sealed record NpyArray
{
    /// <param name="shape">The extent of each axis; empty for a single value.</param>
    /// <param name="values">As many values as the product of <paramref name="shape"/>, row-major.</param>
    /// <param name="dtype">The type that the values had in the file.</param>
    /// <exception cref="ArgumentException">The number of values is not the product of the shape.</exception>
    public NpyArray(ImmutableArray<int> shape, float[] values, string dtype)
    {
        if (values.Length != Extents.Product(shape))
        {
            throw new ArgumentException($"{values.Length} values do not fill the shape [{string.Join(", ", shape)}].", nameof(values));
        }

        Shape = shape;
        Values = values;
        DType = dtype;
    }

    /// <summary>The extent of each axis; empty for a single value.</summary>
    public ImmutableArray<int> Shape { get; }

    /// <summary>The values, row-major. Integers beyond 2^24 and float64 have been rounded to the nearest float.</summary>
    public float[] Values { get; }

    /// <summary>NumPy's name of the type in the file, such as float32, int64 or bool.</summary>
    public string DType { get; }
}
