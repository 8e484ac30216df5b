using MaestroDeploy.Onnx.Protos;
using static MaestroDeploy.Onnx.Protos.TensorProto.Types;

namespace MaestroDeploy.Onnx;

/// <summary>Sizes and names of ONNX element types (TensorProto.DataType in the specification).</summary>
public static class ElementTypes
{
    /// <summary>Bits of one element in <c>raw_data</c> or external data; 0 for strings and for types unknown here.</summary>
    public static int Bits(int dataType) => (DataType)dataType switch
    {
        DataType.Float or DataType.Int32 or DataType.Uint32 => 32,
        DataType.Double or DataType.Int64 or DataType.Uint64 or DataType.Complex64 => 64,
        DataType.Complex128 => 128,
        DataType.Float16 or DataType.Bfloat16 or DataType.Int16 or DataType.Uint16 => 16,
        DataType.Int8 or DataType.Uint8 or DataType.Bool => 8,
        DataType.Float8E4M3Fn or DataType.Float8E4M3Fnuz or DataType.Float8E5M2 or DataType.Float8E5M2Fnuz or DataType.Float8E8M0 => 8,
        DataType.Int4 or DataType.Uint4 or DataType.Float4E2M1 => 4,
        DataType.Int2 or DataType.Uint2 => 2,
        _ => 0,
    };

    /// <summary>Whether elements are floating-point numbers that <see cref="TensorValues.Floats"/> reads: of 16, 32 or 64 bits.</summary>
    public static bool IsFloat(int dataType) => (DataType)dataType is DataType.Float or DataType.Float16 or DataType.Bfloat16 or DataType.Double;

    /// <summary>The name used in manifests and messages: <c>float32</c>, <c>int64</c>, <c>bool</c>, …</summary>
    public static string Name(int dataType) => (DataType)dataType switch
    {
        DataType.Float => "float32",
        DataType.Double => "float64",
        var other => other.ToString().ToLowerInvariant(),
    };

    /// <summary>Elements that <paramref name="tensor"/> declares: the product of its dims, 1 for a scalar.</summary>
    /// <returns>The count, or -1 where a dim is negative or the product does not fit 63 bits.</returns>
    public static long Count(TensorProto tensor)
    {
        long count = 1;
        foreach (var dim in tensor.Dims)
        {
            if (dim < 0 || (dim > 0 && count > long.MaxValue / 128 / dim))
            {
                return -1;
            }

            count *= dim;
        }

        return count;
    }

    /// <summary>Bytes that the tensor's elements take in <c>raw_data</c> or external data; 0 for strings and unknown types.</summary>
    public static long Bytes(TensorProto tensor) => (Count(tensor) * Bits(tensor.DataType) + 7) / 8;
}
