using System.Numerics.Tensors;
using System.Text.Json.Serialization;
using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Onnx.LowRank;

/// <summary>A factored layer of a graph: which two initializers are its factors, and of what dense weight.</summary>
/// <remarks>
/// <c>W [out, in…] ≈ Uᵀ·V</c>, rank-major and ordered by importance: <c>V [r, in…]</c>, <c>U [r, out]</c>
/// (<c>[r, out, 1, …]</c> under a convolution). The first k rows of both are the layer at rank k.
/// </remarks>
/// <param name="Layer">The layer's name.</param>
/// <param name="Kind">Which operators the pair replaced.</param>
/// <param name="U">The outer factor's initializer.</param>
/// <param name="V">The inner factor's initializer.</param>
/// <param name="DenseShape">The shape of W: out, then in and, for a convolution, its kernel.</param>
public sealed record FactorPair(string Layer, LayerKind Kind, string U, string V, IReadOnlyList<int> DenseShape)
{
    /// <summary>Rows of W.</summary>
    [JsonIgnore]
    public int Out => DenseShape[0];

    /// <summary>Columns of W: the product of its other axes.</summary>
    [JsonIgnore]
    public int In => DenseShape.Skip(1).Aggregate(1, (product, size) => checked(product * size));

    /// <summary>The largest rank that the graph holds.</summary>
    public int Rank(OnnxModel model) => (int)Factor(model, V).Dims[0];

    /// <summary>The rank that the layer has: <see cref="Rank"/>, or 0 where its one component is of zeros, as a graph holds a layer that has nothing left but its bias.</summary>
    public int TrueRank(OnnxModel model) => Rank(model) is > 1 and var rank ? rank : IsZero(model, U) && IsZero(model, V) ? 0 : 1;

    /// <summary>The largest rank at which the pair multiplies less than W, <c>r·(in + out) &lt; in·out</c>; 0 where none does.</summary>
    [JsonIgnore]
    public int BreakEven => (int)(((long)In * Out - 1) / (In + Out));

    /// <summary>Numbers in the layer at a rank: r·(in + out), or the dense weight's above break-even.</summary>
    public long ParamsAt(int rank) => rank > BreakEven ? (long)In * Out : (long)rank * (In + Out);

    /// <summary>The dense weight, <c>Uᵀ·V</c> as [out, in] row-major, summed from the most important component on.</summary>
    public float[] Product(OnnxModel model)
    {
        var (u, v) = (model.Floats(Factor(model, U)), model.Floats(Factor(model, V)));
        int rank = Rank(model), columns = In, rows = Out;
        var product = new float[(long)rows * columns];
        Parallel.For(0, rows, row =>
        {
            var sum = product.AsSpan(row * columns, columns);
            for (var k = 0; k < rank; k++)
            {
                TensorPrimitives.MultiplyAdd(v.AsSpan(k * columns, columns), u[k * rows + row], sum, sum);
            }
        });
        return product;
    }

    /// <summary>The type of both factors' elements: float32 or float16.</summary>
    public TensorProto.Types.DataType Type(OnnxModel model) => (TensorProto.Types.DataType)Factor(model, V).DataType;

    static bool IsZero(OnnxModel model, string factor) => !model.Floats(Factor(model, factor)).AsSpan().ContainsAnyExcept(0f);

    internal static TensorProto Factor(OnnxModel model, string name) => model.Initializer(name)
        ?? throw new OnnxFormatException(model.Name, $"its metadata names the factor '{name}', which the graph does not hold");
}
