using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Onnx.LowRank;

/// <summary>The kinds of node whose weight can be held as a pair of factors.</summary>
public enum LayerKind
{
    /// <summary>A Gemm, or a MatMul on two axes: the pair is two Gemms.</summary>
    Linear,

    /// <summary>A MatMul on more axes, with its weight on the right: the pair is two MatMuls.</summary>
    Product,

    /// <summary>A convolution with one group: the pair is one of the same kernel and one of kernel 1.</summary>
    Conv,
}

/// <summary>A node with a constant weight that can be factored, <c>W [out, in…]</c>.</summary>
/// <param name="Name">The layer's name, unique in its graph.</param>
/// <param name="Kind">Which operators the weight serves.</param>
/// <param name="Node">The node.</param>
/// <param name="Weight">The weight's initializer, in whichever order the node wants it.</param>
/// <param name="Out">Rows of W: output features or channels.</param>
/// <param name="In">The other axes of W: input features, or input channels and the kernel.</param>
public sealed record WeightLayer(string Name, LayerKind Kind, NodeProto Node, TensorProto Weight, int Out, IReadOnlyList<int> In)
{
    /// <summary>Whether the initializer is stored as [in, out].</summary>
    public bool Transposed => Kind == LayerKind.Product || Node.OpType == "MatMul" || (Kind == LayerKind.Linear && Node.Int("transB", 0) == 0);

    /// <summary>Columns of W: the product of <see cref="In"/>.</summary>
    public int Columns => In.Aggregate(1, (product, size) => checked(product * size));

    /// <summary>The weight as W [out, in], row-major.</summary>
    public float[] Matrix(OnnxModel model)
    {
        var values = model.Floats(Weight);
        if (!Transposed)
        {
            return values;
        }

        var matrix = new float[values.Length];
        for (var column = 0; column < Columns; column++)
        {
            for (var row = 0; row < Out; row++)
            {
                matrix[row * Columns + column] = values[column * Out + row];
            }
        }

        return matrix;
    }
}
