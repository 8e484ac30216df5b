using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Google.Protobuf;
using MaestroDeploy.Onnx.Protos;
using static MaestroDeploy.Onnx.Protos.TensorProto.Types;

namespace MaestroDeploy.Onnx;

/// <summary>Tensors as plain arrays: row-major, whatever field or file they are stored in.</summary>
public static class TensorValues
{
    /// <summary>A float32 tensor with its elements inline.</summary>
    /// <param name="name">Its name in the graph.</param>
    /// <param name="dims">Its shape; the product is <c>values.Length</c>.</param>
    /// <param name="values">Row-major elements.</param>
    public static TensorProto Create(string name, ReadOnlySpan<long> dims, ReadOnlySpan<float> values) =>
        Create(name, dims, DataType.Float, MemoryMarshal.AsBytes(values));

    /// <summary>A float32 or float16 tensor with its elements inline.</summary>
    /// <param name="name">Its name in the graph.</param>
    /// <param name="dims">Its shape; the product is <c>values.Length</c>.</param>
    /// <param name="values">Row-major elements, rounded to the type.</param>
    /// <param name="type">The type of its elements.</param>
    public static TensorProto Create(string name, ReadOnlySpan<long> dims, ReadOnlySpan<float> values, DataType type)
    {
        if (type != DataType.Float16)
        {
            return Create(name, dims, values);
        }

        var halves = new Half[values.Length];
        TensorPrimitives.ConvertToHalf(values, halves);
        return Create(name, dims, DataType.Float16, MemoryMarshal.AsBytes(halves.AsSpan()));
    }

    /// <summary>An int64 tensor with its elements inline.</summary>
    /// <param name="name">Its name in the graph.</param>
    /// <param name="dims">Its shape; the product is <c>values.Length</c>.</param>
    /// <param name="values">Row-major elements.</param>
    public static TensorProto Create(string name, ReadOnlySpan<long> dims, ReadOnlySpan<long> values) =>
        Create(name, dims, DataType.Int64, MemoryMarshal.AsBytes(values));

    /// <summary>The elements of a tensor of floating-point numbers as float32, read from its data file if it is external.</summary>
    /// <exception cref="OnnxFormatException">The tensor is of none of <see cref="ElementTypes.IsFloat"/>, or its data is not to be had.</exception>
    public static float[] Floats(this OnnxModel model, TensorProto tensor)
    {
        switch ((DataType)tensor.DataType)
        {
            case DataType.Float16:
                var halves = MemoryMarshal.Cast<byte, Half>(model.RawBytes(tensor));
                var floats = new float[halves.Length];
                TensorPrimitives.ConvertToSingle(halves, floats);
                return floats;
            case DataType.Bfloat16:
                return Array.ConvertAll(MemoryMarshal.Cast<byte, ushort>(model.RawBytes(tensor)).ToArray(), bits => BitConverter.Int32BitsToSingle(bits << 16));
            case DataType.Double:
                return Array.ConvertAll(MemoryMarshal.Cast<byte, double>(model.RawBytes(tensor)).ToArray(), value => (float)value);
            default:
                Require(model, tensor, DataType.Float);
                return MemoryMarshal.Cast<byte, float>(model.RawBytes(tensor)).ToArray();
        }
    }

    /// <summary>The elements of an int64 tensor, read from its data file if it is external.</summary>
    /// <exception cref="OnnxFormatException">The tensor is not int64, or its data is not to be had.</exception>
    public static long[] Longs(this OnnxModel model, TensorProto tensor)
    {
        Require(model, tensor, DataType.Int64);
        return MemoryMarshal.Cast<byte, long>(model.RawBytes(tensor)).ToArray();
    }

    /// <summary>The elements as <c>raw_data</c> holds them: little-endian, row-major, whatever field or file they are stored in.</summary>
    /// <exception cref="OnnxFormatException">The data is not to be had.</exception>
    public static ReadOnlySpan<byte> RawBytes(this OnnxModel model, TensorProto tensor) => HoldsTyped(tensor) ? model.Raw(tensor) : model.Bytes(tensor);

    /// <summary>The shape as 32-bit sizes.</summary>
    public static int[] Shape(this TensorProto tensor) => [.. tensor.Dims.Select(dim => checked((int)dim))];

    /// <summary>The bfloat16 nearest to a float32, ties to even; infinities and NaN stay what they are.</summary>
    internal static float RoundToBfloat16(float value)
    {
        var bits = BitConverter.SingleToInt32Bits(value);
        return float.IsFinite(value) ? BitConverter.Int32BitsToSingle((bits + 0x7fff + ((bits >> 16) & 1)) & ~0xffff) : value;
    }

    static TensorProto Create(string name, ReadOnlySpan<long> dims, DataType type, ReadOnlySpan<byte> bytes)
    {
        var tensor = new TensorProto { Name = name, DataType = (int)type, RawData = ByteString.CopyFrom(bytes) };
        tensor.Dims.AddRange(dims);
        return tensor;
    }

    static void Require(OnnxModel model, TensorProto tensor, DataType type)
    {
        if (tensor.DataType != (int)type)
        {
            throw new OnnxFormatException(model.Name,
                $"tensor '{tensor.Name}' is {ElementTypes.Name(tensor.DataType)}; {ElementTypes.Name((int)type)} is needed here");
        }
    }

    // In the order in which GraphCheck counted: a data file, then raw bytes, then the typed field.
    static bool HoldsTyped(TensorProto tensor) => !ExternalData.IsExternal(tensor) && !tensor.HasRawData;

    internal static ReadOnlySpan<byte> Bytes(this OnnxModel model, TensorProto tensor)
    {
        if (!ExternalData.IsExternal(tensor))
        {
            return tensor.RawData.Span;
        }

        var place = ExternalData.Of(tensor, model.Folder ?? ".", model.Name);
        if (place.Length > Array.MaxLength)
        {
            throw new OnnxFormatException(model.Name, $"tensor '{tensor.Name}' has {place.Length:N0} bytes, more than the {Array.MaxLength:N0} that can be read at once");
        }

        var bytes = new byte[place.Length];
        using var file = File.OpenHandle(Path.Combine(model.Folder ?? ".", place.Location));
        for (var read = 0; read < bytes.Length;)
        {
            var more = RandomAccess.Read(file, bytes.AsSpan(read), place.Offset + read);
            read += more > 0 ? more : throw new OnnxFormatException(model.Name, $"'{place.Location}' became shorter while it was read");
        }

        return bytes;
    }
}
