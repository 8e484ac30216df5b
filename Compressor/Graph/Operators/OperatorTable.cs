namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>Every operator of the trainable graph: the one place that registers them.</summary>
static class OperatorTable
{
    public static readonly IReadOnlyDictionary<string, Func<NodeSource, Operator>> Operators = new Dictionary<string, Func<NodeSource, Operator>>
    {
        ["Add"] = _ => Elementwise.Add,
        ["AveragePool"] = Pooling.Average,
        ["BatchNormalization"] = Normalization.Batch,
        ["Cast"] = Elementwise.Cast,
        ["Conv"] = Convolution.Conv,
        ["Div"] = _ => Elementwise.Div,
        ["Equal"] = _ => Elementwise.Equal,
        ["Flatten"] = Shaping.Flatten,
        ["Gather"] = Indexing.Gather,
        ["Gemm"] = Products.Gemm,
        ["GlobalAveragePool"] = _ => Pooling.GlobalAverage,
        ["Identity"] = _ => Elementwise.Identity,
        ["LayerNormalization"] = Normalization.Layer,
        ["MatMul"] = _ => Products.MatMul,
        ["MaxPool"] = Pooling.Max,
        ["Mul"] = _ => Elementwise.Mul,
        ["Relu"] = _ => Elementwise.Relu,
        ["Reshape"] = Shaping.Reshape,
        ["Shape"] = Shaping.Shape,
        ["Slice"] = Indexing.Slice,
        ["Softmax"] = Elementwise.Softmax,
        ["Sub"] = _ => Elementwise.Sub,
        ["Transpose"] = Shaping.Transpose,
        ["Unsqueeze"] = Shaping.Unsqueeze,
    };
}
