namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>Every operator of the trainable graph: the one place that registers them.</summary>
static class OperatorTable
{
    public static readonly IReadOnlyDictionary<string, Func<NodeSource, Operator>> Operators = new Dictionary<string, Func<NodeSource, Operator>>
    {
        ["Add"] = _ => Elementwise.Add,
        ["AveragePool"] = Pooling.Average,
        ["BatchNormalization"] = Normalization.Batch,
        ["Conv"] = Convolution.Conv,
        ["Flatten"] = Shaping.Flatten,
        ["Gemm"] = Products.Gemm,
        ["GlobalAveragePool"] = _ => Pooling.GlobalAverage,
        ["Identity"] = _ => Elementwise.Identity,
        ["MatMul"] = _ => Products.MatMul,
        ["MaxPool"] = Pooling.Max,
        ["Relu"] = _ => Elementwise.Relu,
        ["Reshape"] = Shaping.Reshape,
        ["Softmax"] = Elementwise.Softmax,
        ["Transpose"] = Shaping.Transpose,
    };
}
