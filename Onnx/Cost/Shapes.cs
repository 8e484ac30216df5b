using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Onnx.Cost;

/// <summary>The shape of every value of a graph for one sample: symbolic axes, such as the batch, count as 1.</summary>
public sealed class Shapes
{
    readonly Dictionary<string, long[]> _shapes = [];
    readonly Dictionary<string, long[]> _constants = [];

    Shapes()
    {
    }

    /// <summary>The shape of a value, or null where it is not known: an operator without a rule here, on a graph that does not state it either.</summary>
    public IReadOnlyList<long>? this[string value] => Find(value);

    /// <summary>Walks a model's main graph once.</summary>
    public static Shapes Of(OnnxModel model)
    {
        var shapes = new Shapes();
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

    void AddStated(ValueInfoProto stated)
    {
        if (stated.Type?.TensorType?.Shape is { } shape)
        {
            _shapes[stated.Name] = [.. shape.Dim.Select(axis => axis.HasDimValue && axis.DimValue > 0 ? axis.DimValue : 1)];
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
        }
    }
}
