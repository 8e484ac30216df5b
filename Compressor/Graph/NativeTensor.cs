using System.Runtime.InteropServices;
using Google.Protobuf;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Protos;
using static MaestroDeploy.Onnx.Protos.TensorProto.Types;
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

    /// <summary>A copy of an initializer, in the type that the graph computes in: see <see cref="TorchTypes.Computed"/>.</summary>
    /// <exception cref="UntrainableModelException">Torch has no such type.</exception>
    public static Tensor From(OnnxModel model, TensorProto tensor)
    {
        using var scope = NewDisposeScope();
        var stored = TorchTypes.Stored((DataType)tensor.DataType)
            ?? throw new UntrainableModelException(model.Name, tensor.Name, $"it is a tensor of {ElementTypes.Name(tensor.DataType)}");
        var elements = empty([ElementTypes.Count(tensor)], stored);
        if (elements.numel() > 0)
        {
            model.Raw(tensor).CopyTo(elements.bytes);
        }

        return elements.to(TorchTypes.Computed((DataType)tensor.DataType)!.Value).reshape([.. tensor.Dims]).MoveToOuterDisposeScope();
    }

    /// <summary>The elements as whole numbers, row-major.</summary>
    public static long[] Longs(Tensor tensor) => Elements<long>(tensor.to(int64));

    /// <summary>The elements as real numbers, row-major.</summary>
    public static double[] Doubles(Tensor tensor) => Elements<double>(tensor.detach().to(float64));

    /// <summary>A copy of a float tensor as an initializer of that name.</summary>
    /// <param name="name">The initializer's name.</param>
    /// <param name="tensor">Its values.</param>
    /// <param name="type">The type to store them in, of those that Torch has.</param>
    public static TensorProto ToOnnx(string name, Tensor tensor, DataType type = DataType.Float)
    {
        using var scope = NewDisposeScope();
        var elements = tensor.detach().to(TorchTypes.Stored(type)!.Value).contiguous();
        var result = new TensorProto { Name = name, DataType = (int)type, RawData = ByteString.CopyFrom(elements.bytes) };
        result.Dims.AddRange(tensor.shape);
        return result;
    }

    static T[] Elements<T>(Tensor tensor) where T : struct =>
        tensor.numel() == 0 ? [] : MemoryMarshal.Cast<byte, T>(tensor.contiguous().bytes).ToArray();
}
