using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Onnx.Cost;

/// <summary>Multiply-accumulates of a graph's nodes for one sample.</summary>
/// <param name="model">The model.</param>
/// <param name="shapes">Its shapes.</param>
sealed class MacCounter(OnnxModel model, Shapes shapes)
{
    readonly ConstantValues _constants = new(model);
    readonly List<string> _assumed = [];

    /// <summary>The nodes counted so far whose shapes were not known.</summary>
    public IReadOnlyList<string> Assumed => _assumed;

    /// <summary>The multiply-accumulates of one node; 0 for operators that are not counted.</summary>
    public long Count(NodeProto node)
    {
        if (!node.IsStandard() || node.Input.Count < 2 || node.Output.Count == 0 || node.OpType is not ("Conv" or "ConvTranspose" or "Gemm" or "MatMul" or "LSTM" or "GRU" or "RNN"))
        {
            return 0;
        }

        if (Known(node) is { } macs)
        {
            return macs / shapes.Samples;
        }

        _assumed.Add(node.Title());
        return Sizes.Sum(node.Input.Take(node.OpType is "LSTM" or "GRU" or "RNN" ? 3 : 2).Select(input => _constants.Find(input)?.Count ?? 0));
    }

    long? Known(NodeProto node)
    {
        var (x, weight, y) = (shapes.Find(node.Input[0]), shapes.Find(node.Input[1]), shapes.Find(node.Output[0]));
        return (node.OpType, x, y) switch
        {
            // One application of the kernel: the weight's elements for one of the channels that its first axis counts.
            ("Conv", _, { } made) => Applied(made, weight),
            ("ConvTranspose", { } read, _) => Applied(read, weight),
            ("Gemm", { Length: 2 } read, { } made) => Sizes.Times(Sizes.Product(made), read[node.Int("transA", 0) != 0 ? 0 : 1]),
            ("MatMul", { Length: > 0 } read, { } made) => Sizes.Times(Sizes.Product(made), read[^1]),
            ("LSTM" or "GRU" or "RNN", { Length: 3 } read, _) => Recurrent(node, read, weight),
            _ => null,
        };
    }

    static long? Applied(long[] places, long[]? weight) => weight is null ? null : Sizes.Times(Sizes.Product(places), Sizes.Product(weight.Skip(1)));

    // Both weights at every step of every sample; the first two axes are those two, in either order.
    long? Recurrent(NodeProto node, long[] x, long[]? weight) => weight is not null && node.Input.Count > 2 && shapes.Find(node.Input[2]) is { } recurrence
        ? Sizes.Times(Sizes.Times(x[0], x[1]), Sizes.Sum([Sizes.Product(weight), Sizes.Product(recurrence)]))
        : null;
}
