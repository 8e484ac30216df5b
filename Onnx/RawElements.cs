using System.Runtime.InteropServices;
using MaestroDeploy.Onnx.Protos;
using static MaestroDeploy.Onnx.Protos.TensorProto.Types;

namespace MaestroDeploy.Onnx;

/// <summary>A tensor's elements as <c>raw_data</c> would hold them, little-endian and row-major, whatever field or file they are stored in.</summary>
public static class RawElements
{
    /// <summary>The bytes of every element of a tensor.</summary>
    /// <returns><see cref="ElementTypes.Bytes"/> bytes.</returns>
    /// <exception cref="OnnxFormatException">Its data is not to be had, or is not as long as its shape needs.</exception>
    public static byte[] Raw(this OnnxModel model, TensorProto tensor)
    {
        var bytes = ExternalData.IsExternal(tensor) || tensor.HasRawData ? model.Bytes(tensor).ToArray() : Packed(tensor);
        return bytes.Length == ElementTypes.Bytes(tensor)
            ? bytes
            : throw new OnnxFormatException(model.Name, $"tensor '{tensor.Name}' needs {ElementTypes.Bytes(tensor):N0} bytes, but holds {bytes.Length:N0}");
    }

    // Which field holds which type: TensorProto in the specification.
    static byte[] Packed(TensorProto tensor) => (DataType)tensor.DataType switch
    {
        DataType.Float => Bytes<float>([.. tensor.FloatData]),
        DataType.Double => Bytes<double>([.. tensor.DoubleData]),
        DataType.Int64 => Bytes<long>([.. tensor.Int64Data]),
        DataType.Uint64 => Bytes<ulong>([.. tensor.Uint64Data]),
        DataType.Uint32 => Bytes<uint>([.. tensor.Uint64Data.Select(value => (uint)value)]),
        DataType.Int32 => Bytes<int>([.. tensor.Int32Data]),
        DataType.Int16 or DataType.Uint16 or DataType.Float16 or DataType.Bfloat16 => Bytes<short>([.. tensor.Int32Data.Select(value => (short)value)]),
        DataType.Int8 or DataType.Uint8 or DataType.Bool => Bytes<sbyte>([.. tensor.Int32Data.Select(value => (sbyte)value)]),
        _ => [],
    };

    static byte[] Bytes<T>(ReadOnlySpan<T> values) where T : struct => MemoryMarshal.AsBytes(values).ToArray();
}
