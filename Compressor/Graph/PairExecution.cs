using MaestroDeploy.Compressor.Graph.Operators;
using MaestroDeploy.Onnx.LowRank;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph;

/// <summary>How one use of a factored layer runs: as its two nodes, or multiplied back to its one dense node where that is less work.</summary>
/// <remarks>
/// A pair at a high rank forms more products than its dense weight does, at every position; multiplying the factors together costs
/// <c>r·in·out</c> once a pass. Both give the same numbers but for rounding, and the same gradients.
/// </remarks>
/// <param name="pair">The layer.</param>
/// <param name="dense">The node that the pair stands for.</param>
/// <param name="x">Where the layer's input lies among the graph's values.</param>
/// <param name="bias">Where its bias lies; -1 where it has none.</param>
/// <param name="output">Where its output goes.</param>
/// <param name="strides">Product of a convolution's strides; 1 for a linear layer.</param>
sealed class PairExecution(FactorPair pair, Operator dense, int x, int bias, int output, long strides)
{
    /// <summary>The layer.</summary>
    public FactorPair Pair => pair;

    /// <summary>Where the layer's output goes.</summary>
    public int Output => output;

    /// <summary>Whether one dense product is less work than the pair's two.</summary>
    /// <param name="values">The graph's values so far, the layer's input among them.</param>
    /// <param name="rank">Components in use.</param>
    public bool IsCheaperMerged(Tensor?[] values, int rank)
    {
        var isConvolution = pair.Kind == LayerKind.Conv;
        var (rows, components) = isConvolution ? (InBlocks(pair.Out), InBlocks(rank)) : (pair.Out, rank);
        // Times that the weight is applied: once a row of a linear layer's input, once a position of a convolution's.
        var times = values[x]!.numel() / (isConvolution ? pair.DenseShape[1] : pair.In) / strides;
        return times * pair.In * rows + (long)rank * pair.In * pair.Out < times * components * (pair.In + rows);
    }

    // A convolution's channels are worked on sixteen at a time: three cost what sixteen do.
    static long InBlocks(long channels) => (channels + 15) / 16 * 16;

    /// <summary>Runs the dense node on <c>Uᵀ·V</c>.</summary>
    public Tensor RunMerged(Tensor?[] values, Tensor u, Tensor v, ForwardMode mode)
    {
        Tensor flatU = u.reshape(u.shape[0], pair.Out), flatV = v.reshape(v.shape[0], pair.In);
        var weight = pair.Kind == LayerKind.Product
            ? flatV.t().mm(flatU)
            : flatU.t().mm(flatV).reshape([.. pair.DenseShape.Select(size => (long)size)]);
        var (left, right) = pair.Kind == LayerKind.Left ? (weight, values[x]) : (values[x], weight);
        return dense(bias < 0 ? [left, right] : [left, right, values[bias]], mode)[0];
    }
}
