using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Onnx.Cost;

/// <summary>The shape of every value of a graph for one sample: the batch and every symbolic axis count as 1.</summary>
public sealed class Shapes
{
    readonly Dictionary<string, long[]> _shapes = [];
    readonly Dictionary<string, long[]> _constants = [];
    long _batch = 1;

    Shapes()
    {
    }

    /// <summary>The shape of a value, or null where it is not known: an operator without a rule here, on a graph that does not state it either.</summary>
    public IReadOnlyList<long>? this[string value] => Find(value);

    /// <summary>Walks a model's main graph once.</summary>
    public static Shapes Of(OnnxModel model)
    {
        var shapes = new Shapes { _batch = BatchOf(model) };
        foreach (var stated in model.Graph.ValueInfo.Concat(model.Graph.Input))
        {
            shapes.AddStated(stated);
        }

        foreach (var tensor in model.Graph.Initializer)
        {
            shapes.AddConstant(tensor.Name, tensor, model);
        }

        foreach (var node in model.Graph.Node)
        {
            shapes.AddNode(node, model);
        }

        return shapes;
    }

    internal long[]? Find(string value) => _shapes.GetValueOrDefault(value);

    // A model may fix the batch it was exported at; a cost is still that of one sample.
    static long BatchOf(OnnxModel model) =>
        model.Inputs.Select(input => input.Type?.TensorType?.Shape).FirstOrDefault(shape => shape is { Dim.Count: > 1 }) is { } shape && shape.Dim[0].HasDimValue
            ? shape.Dim[0].DimValue
            : 1;

    void AddStated(ValueInfoProto stated)
    {
        if (stated.Type?.TensorType?.Shape is { } shape)
        {
            _shapes[stated.Name] = [.. shape.Dim.Select((axis, i) => axis.HasDimValue && axis.DimValue > 0 && (i > 0 || axis.DimValue != _batch) ? axis.DimValue : 1)];
        }
    }

    void AddConstant(string name, TensorProto tensor, OnnxModel model)
    {
        _shapes[name] = [.. tensor.Dims];
        if (tensor.DataType == (int)TensorProto.Types.DataType.Int64 && tensor.Dims.Count <= 1)
        {
            _constants[name] = model.Longs(tensor);
        }
    }

    void AddNode(NodeProto node, OnnxModel model)
    {
        if (node.Output.Count == 0)
        {
            return;
        }

        if (node.OpType == "Constant" && node.Attribute.FirstOrDefault(attribute => attribute.T is not null)?.T is { } constant)
        {
            AddConstant(node.Output[0], constant, model);
        }
        else if (ShapeInference.Output(node, Find, _constants.GetValueOrDefault) is { } shape)
        {
            _shapes[node.Output[0]] = shape;
            if (node.OpType == "Shape")
            {
                _constants[node.Output[0]] = ShapeInference.SizesOf(node, Find(node.Input[0])!);
            }
        }
    }
}
