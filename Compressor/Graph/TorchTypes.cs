using MaestroDeploy.Onnx;
using static MaestroDeploy.Onnx.Protos.TensorProto.Types;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph;

/// <summary>Torch's types for ONNX's.</summary>
static class TorchTypes
{
    /// <summary>The type whose elements have the same bytes; null where Torch has none.</summary>
    public static ScalarType? Stored(DataType type) => type switch
    {
        DataType.Float => float32,
        DataType.Float16 => float16,
        DataType.Bfloat16 => bfloat16,
        DataType.Double => float64,
        DataType.Int64 => int64,
        DataType.Int32 => int32,
        DataType.Int16 => int16,
        DataType.Int8 => int8,
        DataType.Uint8 => uint8,
        DataType.Bool => @bool,
        _ => null,
    };

    /// <summary>The type of a name such as <c>float32</c> or <c>int64</c>; null where there is none.</summary>
    public static DataType? Named(string name) => Enum.GetValues<DataType>().Where(type => ElementTypes.Name((int)type) == name).Select(type => (DataType?)type).FirstOrDefault();

    /// <summary>The type that a graph computes in: half precision is widened, since training needs the digits that it lacks.</summary>
    public static ScalarType? Computed(DataType type) => type is DataType.Float16 or DataType.Bfloat16 ? float32 : Stored(type);
}
