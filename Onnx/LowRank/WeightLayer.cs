using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Onnx.LowRank;

/// <summary>The kinds of node whose weight can be held as a pair of factors.</summary>
public enum LayerKind
{
    /// <summary>A Gemm, or a MatMul on two axes, with its weight on the right: the pair is two Gemms.</summary>
    Linear,

    /// <summary>A MatMul on more axes, with its weight on the right: the pair is two MatMuls.</summary>
    Product,

    /// <summary>A convolution with one group: the pair is one of the same kernel and one of kernel 1.</summary>
    Conv,

    /// <summary>A Gemm or a MatMul with its weight on the left: the pair is two of the same.</summary>
    Left,
}

/// <summary>A constant weight that can be factored, <c>W [out, in…]</c>, and the nodes that apply it.</summary>
/// <param name="Name">The layer's name, unique in its graph.</param>
/// <param name="Kind">Which operators the weight serves.</param>
/// <param name="Nodes">The nodes, in the order of the graph; they all use the weight in the same way.</param>
/// <param name="Weight">The weight, in whichever order the nodes want it.</param>
/// <param name="Out">Rows of W: output features or channels.</param>
/// <param name="In">The other axes of W: input features, or input channels and the kernel.</param>
public sealed record WeightLayer(string Name, LayerKind Kind, IReadOnlyList<NodeProto> Nodes, ConstantPath Weight, int Out, IReadOnlyList<int> In)
{
    /// <summary>The first of <see cref="Nodes"/>.</summary>
    public NodeProto Node => Nodes[0];

    /// <summary>Whether the weight is stored as [in, out].</summary>
    public bool Transposed => Kind switch
    {
        LayerKind.Conv => false,
        LayerKind.Left => Node.Int("transA", 0) != 0,
        _ => Node.OpType == "MatMul" || Node.Int("transB", 0) == 0,
    };

    /// <summary>Columns of W: the product of <see cref="In"/>.</summary>
    public int Columns => In.Aggregate(1, (product, size) => checked(product * size));

    /// <summary>The value that one of <see cref="Nodes"/> applies the weight to.</summary>
    public string InputOf(NodeProto node) => node.Input[Kind == LayerKind.Left ? 1 : 0];

    /// <summary>The weight as W [out, in], row-major, a Gemm's alpha multiplied into it.</summary>
    /// <exception cref="OnnxFormatException">Its data is not to be had.</exception>
    public float[] Matrix(OnnxModel model)
    {
        var values = Weight.Floats(model);
        var alpha = Node.OpType == "Gemm" ? Node.Float("alpha", 1) : 1;
        if (alpha != 1)
        {
            values = Array.ConvertAll(values, value => alpha * value);
        }

        return Transposed ? Matrices.Transpose(values, Columns, Out) : values;
    }
}
