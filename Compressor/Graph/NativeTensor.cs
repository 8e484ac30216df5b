using System.Runtime.InteropServices;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Protos;
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

    /// <summary>A copy of some whole numbers, row-major; [count] where no shape is given.</summary>
    public static Tensor From(ReadOnlySpan<long> values, params ReadOnlySpan<long> shape)
    {
        var result = empty(shape.Length > 0 ? shape : [values.Length], int64);
        MemoryMarshal.AsBytes(values).CopyTo(result.bytes);
        return result;
    }

    /// <summary>A copy of an initializer of float32 or int64 numbers.</summary>
    /// <exception cref="OnnxFormatException">It is of another type.</exception>
    public static Tensor From(OnnxModel model, TensorProto tensor) => (TensorProto.Types.DataType)tensor.DataType == TensorProto.Types.DataType.Float
        ? From(model.Floats(tensor), tensor.Dims.ToArray())
        : Shaped(model.Longs(tensor), tensor.Dims.ToArray());

    // A scalar has no sizes to give.
    static Tensor Shaped(long[] values, long[] shape)
    {
        using var scope = NewDisposeScope();
        return From(values).reshape(shape).MoveToOuterDisposeScope();
    }

    /// <summary>A copy of a float tensor as an initializer of that name.</summary>
    public static TensorProto ToOnnx(string name, Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return TensorValues.Create(name, tensor.shape, tensor.detach().contiguous().data<float>().ToArray());
    }
}
