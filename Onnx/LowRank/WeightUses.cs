using MaestroDeploy.Onnx.Cost;
using MaestroDeploy.Onnx.Protos;
using static MaestroDeploy.Onnx.Protos.TensorProto.Types;

namespace MaestroDeploy.Onnx.LowRank;

/// <summary>A node with a weight: how it uses it, or why it stays as it is.</summary>
/// <param name="Node">The node.</param>
/// <param name="Kind">Which kind of pair would replace it.</param>
/// <param name="Weight">The weight; null where it cannot be factored.</param>
/// <param name="WhyNot">Why it cannot be; null where it can.</param>
sealed record WeightUse(NodeProto Node, LayerKind Kind, ConstantPath? Weight, string? WhyNot)
{
    /// <summary>Equal for two nodes that one pair of factors can serve.</summary>
    public string Key => $"{Weight?.Key} {Node.OpType} {Kind == LayerKind.Left} "
        + (Node.OpType == "Gemm" ? $"{Node.Int(Kind == LayerKind.Left ? "transA" : "transB", 0) != 0} {Node.Float("alpha", 1):R}" : "");
}

/// <summary>Looks at the nodes of a graph for weights.</summary>
sealed class WeightUses(OnnxModel model)
{
    // A matrix of fewer elements than this, in a node of another kind, is more likely a mask or a table of constants than a weight.
    const int FewestElements = 256;

    readonly ConstantValues _constants = new(model);
    readonly Shapes _shapes = Shapes.Of(model);

    // Shapes are of one sample, of which such a Squeeze takes the batch's axis too, and of several does not: a matrix behind it may be more.
    readonly bool _hidesTheBatch = model.Graph.Node.Any(node => node.OpType == "Squeeze" && ShapeRules.NamesNoAxes(node));
    readonly HashSet<(string, string)> _functions = [.. model.Proto.Functions.Select(function => (function.Domain, function.Name))];

    /// <summary>How a node uses a weight; null where it has none.</summary>
    public WeightUse? Of(NodeProto node)
    {
        if (node.IsStandard() && !_functions.Contains((node.Domain, node.OpType)))
        {
            switch (node.OpType)
            {
                case "Gemm" or "MatMul":
                    return Product(node);
                case "Conv":
                    return Convolution(node);
            }
        }

        return Other(node) is { } why ? new WeightUse(node, default, null, why) : null;
    }

    WeightUse Product(NodeProto node)
    {
        var (left, right) = (_constants.Find(node.Input[0]), _constants.Find(node.Input[1]));
        var kind = left is not null ? LayerKind.Left
            : node.OpType == "Gemm" || (!model.GemmNeedsBias && !_hidesTheBatch && _shapes[node.Input[0]]?.Count == 2) ? LayerKind.Linear
            : LayerKind.Product;
        var why = (left ?? right) is not { } weight ? "it multiplies two values that are computed"
            : left is not null && right is not null ? "both its operands are constants"
            : WhyNot(weight) ?? (weight.Dims.Count == 2 ? null : $"its weight has {weight.Dims.Count} axes");
        return new WeightUse(node, kind, why is null ? left ?? right : null, why);
    }

    WeightUse Convolution(NodeProto node)
    {
        var weight = _constants.Find(node.Input[1]);
        var groups = node.Int("group", 1);
        var why = weight is null ? "its weight is computed"
            : groups != 1 ? $"it has {groups} groups"
            : WhyNot(weight) ?? (weight.Dims.Count >= 3 ? null : $"its weight has {weight.Dims.Count} axes");
        return new WeightUse(node, LayerKind.Conv, why is null ? weight : null, why);
    }

    static string? WhyNot(ConstantPath weight) =>
        weight.Type is not (DataType.Float or DataType.Float16) ? $"its weight is {ElementTypes.Name((int)weight.Type)}"
        : weight.Count == 0 ? "its weight has no elements"
        : null;

    string? Other(NodeProto node)
    {
        if (node.Bodies().Any(HasProducts))
        {
            return $"its weights are in graphs that it holds, as {node.OpType} nodes do";
        }

        if (!node.Input.Any(input => _constants.Find(input) is { } matrix && matrix.Count >= FewestElements && matrix.Dims.Count(size => size > 1) >= 2) || IsOnTheWay(node))
        {
            return null;
        }

        return _functions.Contains((node.Domain, node.OpType)) ? $"{node.OpType} is a function of the model's own"
            : !node.IsStandard() ? $"{node.OpType} is an operator of the domain {node.Domain}"
            : node.OpType switch
            {
                "ConvTranspose" => "it is a transposed convolution",
                "LSTM" or "GRU" or "RNN" => "its weights are recurrent",
                "Gather" => "it looks rows up",
                "ConvInteger" or "MatMulInteger" or "QLinearConv" or "QLinearMatMul" or "DequantizeLinear" => "its weight is quantised",
                _ => $"{node.OpType} takes its weight element by element, or in another way that has no factors",
            };
    }

    // What only moves a weight is part of the weight.
    bool IsOnTheWay(NodeProto node) => node.Output.Count > 0 && _constants.Find(node.Output[0]) is not null;

    static bool HasProducts(GraphProto body) => body.Node.Any(node =>
        node.OpType is "Conv" or "ConvTranspose" or "Gemm" or "MatMul" or "LSTM" or "GRU" or "RNN" || node.Bodies().Any(HasProducts));
}
