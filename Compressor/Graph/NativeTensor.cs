using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph;

/// <summary>Tensors in memory that Torch allocates, from numbers that .NET holds.</summary>
/// <remarks>
/// A tensor made from an array may lie wherever the garbage collector put it, and the order in which a matrix product sums
/// depends on that address: the same seed then gives other bits. Torch's own memory is always aligned the same way.
/// </remarks>
static class NativeTensor
{
    /// <summary>A copy of some numbers, row-major.</summary>
    public static Tensor From(ReadOnlySpan<float> values, params ReadOnlySpan<long> shape)
    {
        var count = 1L;
        foreach (var size in shape)
        {
            count *= size;
        }

        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, count); // what is not filled would be whatever lay there
        var result = empty(shape, float32);
        MemoryMarshal.AsBytes(values).CopyTo(result.bytes);
        return result;
    }

    /// <summary>A copy of some whole numbers, [count].</summary>
    public static Tensor From(ReadOnlySpan<long> values)
    {
        var result = empty(values.Length, int64);
        MemoryMarshal.AsBytes(values).CopyTo(result.bytes);
        return result;
    }
}
