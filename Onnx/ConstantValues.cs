using MaestroDeploy.Onnx.Cost;
using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Onnx;

/// <summary>The values of a main graph that are the same in every run, wherever an exporter put them.</summary>
/// <remarks>
/// A value is constant when it is an initializer or a Constant node's tensor, or what Identity, Cast between floating-point types,
/// Transpose, Reshape, Flatten, Squeeze or Unsqueeze make of a constant. An initializer that is listed among the graph's inputs counts
/// as one: files of IR 3 list all of them, and hardly anyone feeds them.
/// </remarks>
public sealed class ConstantValues : IShapeSource
{
    // Exporters write two or three; a file made to be slow could write a million.
    const int MostNodes = 16;

    readonly OnnxModel _model;
    readonly Dictionary<string, ConstantPath> _paths = [];

    /// <param name="model">A model whose nodes stand in order.</param>
    public ConstantValues(OnnxModel model)
    {
        _model = model;
        foreach (var tensor in model.Graph.Initializer)
        {
            _paths[tensor.Name] = ConstantPath.Of(tensor, tensor.Name, made: null);
        }

        foreach (var node in model.Graph.Node.Where(node => node.IsStandard() && node.Output.Count > 0))
        {
            if (Follow(node) is { } path)
            {
                _paths[node.Output[0]] = path;
            }
        }
    }

    /// <summary>How a value comes to be, or null where it is not constant.</summary>
    public ConstantPath? Find(string value) => _paths.GetValueOrDefault(value);

    long[]? IShapeSource.Shape(string value) => Find(value) is { } path ? [.. path.Dims] : null;

    long[]? IShapeSource.Integers(string value) => Find(value) is { Dims.Count: <= 1 } path ? path.Integers(_model) : null;

    float[]? IShapeSource.Floats(string value) => Find(value) is { Dims.Count: <= 1 } path ? path.FloatsOrNull(_model) : null;

    ConstantPath? Follow(NodeProto node)
    {
        if (node.OpType == "Constant")
        {
            return node.ConstantTensor() is { } tensor ? ConstantPath.Of(tensor, node.Output[0], node) : null;
        }

        if (node.Input.Count == 0 || Find(node.Input[0]) is not { Nodes.Count: < MostNodes } from)
        {
            return null;
        }

        var follows = node.OpType switch
        {
            "Identity" or "Transpose" or "Reshape" or "Flatten" or "Squeeze" or "Unsqueeze" => true,
            "Cast" => ElementTypes.IsFloat((int)from.Type) && ElementTypes.IsFloat((int)node.Int("to", 0)),
            _ => false,
        };
        return follows && ShapeInference.Outputs(node, this) is [{ } dims, ..] ? from.Through(node, dims) : null;
    }
}
