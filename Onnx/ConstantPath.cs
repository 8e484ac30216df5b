using System.Globalization;
using MaestroDeploy.Onnx.Protos;
using static MaestroDeploy.Onnx.Protos.TensorProto.Types;

namespace MaestroDeploy.Onnx;

/// <summary>A value that is the same in every run: a stored tensor, seen through nodes that move its elements or change their type.</summary>
public sealed class ConstantPath
{
    readonly TensorProto _root;
    readonly IReadOnlyList<Step> _steps;

    ConstantPath(TensorProto root, string rootName, IReadOnlyList<string> values, IReadOnlyList<NodeProto> nodes, IReadOnlyList<Step> steps, long[] dims, DataType type)
    {
        (_root, RootName, Values, Nodes, _steps, Dims, Type) = (root, rootName, values, nodes, steps, dims, type);
    }

    /// <summary>The initializer, or the output of the Constant node, that the value begins at.</summary>
    public string RootName { get; }

    /// <summary>The names of the values on the way, the root first and this value last.</summary>
    public IReadOnlyList<string> Values { get; }

    /// <summary>The nodes on the way, a Constant node among them.</summary>
    public IReadOnlyList<NodeProto> Nodes { get; }

    /// <summary>The value's shape.</summary>
    public IReadOnlyList<long> Dims { get; }

    /// <summary>The type of the value's elements.</summary>
    public DataType Type { get; }

    /// <summary>Equal for two values of one root whose elements are the same, even where each has nodes of its own.</summary>
    public string Key => $"{RootName}|{string.Join('|', _steps)}|{string.Join(',', Dims)}";

    /// <summary>Elements of the value.</summary>
    public long Count => ElementTypes.Count(_root);

    /// <summary>A stored tensor by itself.</summary>
    internal static ConstantPath Of(TensorProto root, string name, NodeProto? made) =>
        new(root, name, [name], made is null ? [] : [made], [], [.. root.Dims], (DataType)root.DataType);

    /// <summary>What a node with one output makes of this value.</summary>
    /// <param name="node">Identity, Cast, Transpose, or one that changes nothing but the shape.</param>
    /// <param name="dims">The shape of its output.</param>
    internal ConstantPath Through(NodeProto node, long[] dims)
    {
        var step = node.OpType switch
        {
            "Transpose" => new Step([.. Dims], node.Ints("perm") ?? Backwards(Dims.Count), null),
            "Cast" => new Step([], [], (DataType)node.Int("to", 0)),
            _ => null,
        };
        return new ConstantPath(_root, RootName, [.. Values, node.Output[0]], [.. Nodes, node], step is null ? _steps : [.. _steps, step], dims, step?.To ?? Type);
    }

    /// <summary>The elements as float32, row-major.</summary>
    /// <exception cref="OnnxFormatException">The root is not of floating-point numbers, or its data is not to be had.</exception>
    public float[] Floats(OnnxModel model) => _steps.Aggregate(model.Floats(_root), (values, step) => step.Apply(values));

    /// <summary>The elements of an int64 value whose elements nothing has moved; null for any other.</summary>
    internal long[]? Integers(OnnxModel model) => Type == DataType.Int64 && _steps.Count == 0 ? model.Longs(_root) : null;

    /// <summary>The elements as float32; null for a value of another kind than floating-point numbers.</summary>
    internal float[]? FloatsOrNull(OnnxModel model) => ElementTypes.IsFloat(_root.DataType) ? Floats(model) : null;

    static long[] Backwards(int axes) => [.. Enumerable.Range(1, axes).Select(axis => (long)axes - axis)];

    /// <param name="From">The shape before a transposition.</param>
    /// <param name="Order">Its order of axes; none for a cast.</param>
    /// <param name="To">The type cast to; null for a transposition.</param>
    sealed record Step(long[] From, long[] Order, DataType? To)
    {
        public float[] Apply(float[] values) => To switch
        {
            null => Transpose(values),
            DataType.Float16 => Array.ConvertAll(values, value => (float)(Half)value),
            DataType.Bfloat16 => Array.ConvertAll(values, TensorValues.RoundToBfloat16),
            _ => values,
        };

        public override string ToString() => To?.ToString() ?? string.Create(CultureInfo.InvariantCulture, $"{string.Join(',', From)}:{string.Join(',', Order)}");

        float[] Transpose(float[] values)
        {
            var axes = From.Length;
            var strides = new long[axes];
            for (long axis = axes - 1, stride = 1; axis >= 0; stride *= From[axis--])
            {
                strides[axis] = stride;
            }

            var result = new float[values.Length];
            var place = new long[axes];
            for (long i = 0, at = 0; i < result.Length; i++)
            {
                result[i] = values[at];
                // The place counts up in the new order; each carry takes back what its axis has moved.
                for (var axis = axes - 1; axis >= 0; axis--)
                {
                    at += strides[Order[axis]];
                    if (++place[axis] < From[Order[axis]])
                    {
                        break;
                    }

                    at -= place[axis] * strides[Order[axis]];
                    place[axis] = 0;
                }
            }

            return result;
        }
    }
}
