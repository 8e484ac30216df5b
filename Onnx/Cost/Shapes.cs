using System.Runtime.InteropServices;
using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Onnx.Cost;

/// <summary>The shape of every value of a graph, for the batch that its file fixes or for one sample.</summary>
/// <remarks>
/// <para>
/// An axis that the file leaves open counts as the caller says. Where nothing is said it counts as 1, one word or one frame, but
/// as <see cref="ImageSize"/> in inputs of four axes and more, for a convolution over a single point says nothing about one over an image.
/// The first axis is the batch and always counts as 1.
/// </para>
/// <para>What the file states of inner values is used where an operator has no rule here, and an axis of a name means one size everywhere.</para>
/// </remarks>
public sealed class Shapes : IShapeSource
{
    /// <summary>What an open axis of an image counts as: the side that classifiers of photographs take.</summary>
    public const int ImageSize = 224;

    readonly OnnxModel _model;
    readonly Dictionary<string, long[]> _shapes = [];
    readonly Dictionary<string, ShapeValues> _values = [];
    readonly Dictionary<string, long> _sizeOfName = [];

    Shapes(OnnxModel model, int? openAxis)
    {
        _model = model;
        foreach (var input in model.Graph.Input.Where(input => input.Type?.TensorType?.Shape is not null))
        {
            _shapes[input.Name] = InputShape(input.Type.TensorType.Shape, openAxis);
        }

        foreach (var stated in model.Graph.ValueInfo.Where(stated => stated.Type?.TensorType?.Shape is not null))
        {
            Add(stated.Name, StatedShape(stated.Type.TensorType.Shape));
        }

        foreach (var tensor in model.Graph.Initializer)
        {
            AddConstant(tensor.Name, tensor);
        }

        foreach (var node in model.Graph.Node)
        {
            AddNode(node);
        }

        Samples = BatchOf(model);
    }

    /// <summary>The shape of a value, or null where it is not known: an operator without a rule here, on a graph that does not state it either.</summary>
    public IReadOnlyList<long>? this[string value] => Find(value);

    /// <summary>Samples that these shapes are of: the batch that the file fixes, else 1.</summary>
    public long Samples { get; }

    /// <summary>Walks a model's main graph once.</summary>
    /// <param name="model">Any loaded model.</param>
    /// <param name="openAxis">What every open axis but the batch counts as, 1 or more; null for the rule above.</param>
    public static Shapes Of(OnnxModel model, int? openAxis = null) => new(model, openAxis);

    internal long[]? Find(string value) => _shapes.GetValueOrDefault(value);

    long[]? IShapeSource.Shape(string value) => Find(value);

    long[]? IShapeSource.Integers(string value) => _values.GetValueOrDefault(value) is { Whole: true } known ? known.Integers : null;

    float[]? IShapeSource.Floats(string value) => _values.GetValueOrDefault(value) is { Whole: false } known ? Array.ConvertAll(known.Elements, one => (float)one) : null;

    // The first input's first axis, unless the first output has another number of rows.
    static long BatchOf(OnnxModel model)
    {
        static TensorShapeProto.Types.Dimension? FirstAxis(IEnumerable<ValueInfoProto> values) =>
            values.Select(value => value.Type?.TensorType?.Shape).FirstOrDefault(shape => shape is { Dim.Count: > 1 })?.Dim[0];

        var (rows, answers) = (FirstAxis(model.Inputs), FirstAxis(model.Graph.Output));
        return rows is { HasDimValue: true, DimValue: > 1 } && (answers is not { HasDimValue: true, DimValue: > 0 } || answers.DimValue == rows.DimValue) ? rows.DimValue : 1;
    }

    long[] InputShape(TensorShapeProto shape, int? openAxis)
    {
        var open = openAxis ?? (shape.Dim.Count >= 4 ? ImageSize : 1);
        return [.. shape.Dim.Select((axis, i) =>
        {
            if (axis.HasDimValue && axis.DimValue > 0)
            {
                return axis.DimValue;
            }

            var size = i == 0 ? 1 : open;
            return axis.HasDimParam && axis.DimParam.Length > 0 && !_sizeOfName.TryAdd(axis.DimParam, size) ? _sizeOfName[axis.DimParam] : size;
        })];
    }

    // Null where a size is open that no input names; but the first axis is most likely the batch.
    long[]? StatedShape(TensorShapeProto shape)
    {
        var sizes = shape.Dim.Select((axis, i) => axis.HasDimValue && axis.DimValue > 0 ? axis.DimValue
            : axis.HasDimParam && _sizeOfName.TryGetValue(axis.DimParam, out var size) ? size
            : i == 0 ? 1 : -1).ToArray();
        return sizes.Contains(-1) ? null : sizes;
    }

    void AddConstant(string name, TensorProto tensor)
    {
        Add(name, [.. tensor.Dims]);
        if (tensor.Dims.Count > 1 || ElementTypes.Count(tensor) > ShapeValues.MostElements)
        {
            return;
        }

        if (tensor.DataType == (int)TensorProto.Types.DataType.Int64)
        {
            _values[name] = new ShapeValues(Array.ConvertAll(_model.Longs(tensor), value => (double)value), Whole: true);
        }
        else if (tensor.DataType == (int)TensorProto.Types.DataType.Int32)
        {
            _values[name] = new ShapeValues(Array.ConvertAll(MemoryMarshal.Cast<byte, int>(_model.RawBytes(tensor)).ToArray(), value => (double)value), Whole: true);
        }
        else if (ElementTypes.IsFloat(tensor.DataType))
        {
            _values[name] = new ShapeValues(Array.ConvertAll(_model.Floats(tensor), value => (double)value), Whole: false);
        }
    }

    void AddNode(NodeProto node)
    {
        if (node.IsStandard() && node.Output.Count > 0 && node.ConstantTensor() is { } constant)
        {
            AddConstant(node.Output[0], constant);
            return;
        }

        foreach (var (output, shape) in node.Output.Zip(ShapeInference.Outputs(node, this)))
        {
            Add(output, shape);
        }

        if (node.Output.Count > 0 && ShapeValues.Of(node, this, _values.GetValueOrDefault) is { } values)
        {
            _values[node.Output[0]] = values;
        }
    }

    void Add(string name, long[]? shape)
    {
        if (shape is not null && shape.All(size => size >= 0))
        {
            _shapes[name] = shape;
        }
    }
}
