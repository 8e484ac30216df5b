using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Onnx.Cost;

/// <summary>What a model costs: how many numbers it learnt, and how many products it forms for one sample.</summary>
/// <param name="Params">Elements of all floating-point initializers but BatchNorm's running mean and variance, as the field counts.</param>
/// <param name="Macs">Multiply-accumulates for one sample in convolutions and matrix products; other operators are not counted.</param>
public sealed record ModelCost(long Params, long Macs)
{
    /// <summary>Counts a model's main graph.</summary>
    /// <exception cref="OnnxFormatException">A convolution or product whose shapes cannot be inferred; the message names it.</exception>
    public static ModelCost Of(OnnxModel model)
    {
        var shapes = Shapes.Of(model);
        return new ModelCost(CountParams(model), model.Graph.Node.Sum(node => MacsOf(node, shapes, model)));
    }

    static long CountParams(OnnxModel model)
    {
        var statistics = model.Graph.Node.Where(node => node.OpType == "BatchNormalization").SelectMany(node => node.Input.Skip(3)).ToHashSet();
        return model.Graph.Initializer
            .Where(tensor => (TensorProto.Types.DataType)tensor.DataType
                is TensorProto.Types.DataType.Float or TensorProto.Types.DataType.Float16 or TensorProto.Types.DataType.Double or TensorProto.Types.DataType.Bfloat16)
            .Where(tensor => !statistics.Contains(tensor.Name))
            .Sum(ElementTypes.Count);
    }

    static long MacsOf(NodeProto node, Shapes shapes, OnnxModel model) => node.OpType switch
    {
        // One application of the kernel: the weight's elements for one of the channels that its first axis counts.
        "Conv" => Elements(node.Output[0], node, shapes, model) * Product(Known(node.Input[1], node, shapes, model).Skip(1)),
        "ConvTranspose" => Elements(node.Input[0], node, shapes, model) * Product(Known(node.Input[1], node, shapes, model).Skip(1)),
        "Gemm" => Elements(node.Output[0], node, shapes, model)
            * Known(node.Input[0], node, shapes, model)[node.Int("transA", 0) != 0 ? 0 : ^1],
        "MatMul" => Elements(node.Output[0], node, shapes, model) * Known(node.Input[0], node, shapes, model)[^1],
        _ => 0,
    };

    static long Elements(string value, NodeProto node, Shapes shapes, OnnxModel model) =>
        Product(Known(value, node, shapes, model));

    static long Product(IEnumerable<long> sizes) => sizes.Aggregate(1L, (product, size) => product * size);

    static long[] Known(string value, NodeProto node, Shapes shapes, OnnxModel model) =>
        shapes.Find(value) ?? throw new OnnxFormatException(model.Name,
            $"the multiply-accumulates of {node.OpType} '{node.Name}' cannot be counted: the shape of '{value}' is not known");
}
