using MaestroDeploy.Onnx;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>Operators that go along an axis: the largest elements, their places, and running sums.</summary>
static class Ordering
{
    /// <summary>The k largest or smallest elements of an axis, sorted, and their places; k is an attribute before opset 10, an input since.</summary>
    public static Operator TopK(NodeSource source)
    {
        var axis = (int)source.Node.Int("axis", -1);
        var (largest, sorted) = (source.Node.Int("largest", 1) != 0, source.Node.Int("sorted", 1) != 0);
        var (stated, input) = (source.Node.Int("k", 0), source.Longs(1));
        return (inputs, _) =>
        {
            var (values, places) = inputs[0]!.topk((int)(input(inputs)?[0] ?? stated), axis, largest, sorted);
            return [values, places];
        };
    }

    public static Operator ArgMax(NodeSource source) => Place(source, x => x);

    public static Operator ArgMin(NodeSource source) => Place(source, x => -x);

    /// <summary>Sums up to each element of the axis that input 1 names; exclusive leaves the element itself out, reverse starts at the end.</summary>
    public static Operator CumSum(NodeSource source)
    {
        var (exclusive, reverse) = (source.Node.Int("exclusive", 0) != 0, source.Node.Int("reverse", 0) != 0);
        var axes = source.Longs(1);
        return (inputs, _) =>
        {
            var axis = axes(inputs)![0];
            var x = reverse ? inputs[0]!.flip([axis]) : inputs[0]!;
            var sums = exclusive ? x.cumsum(axis, x.dtype) - x : x.cumsum(axis, x.dtype);
            return [reverse ? sums.flip([axis]) : sums];
        };
    }

    // The first of equals, or the last.
    static Operator Place(NodeSource source, Func<Tensor, Tensor> rank)
    {
        var axis = source.Node.Int("axis", 0);
        var (keeps, takesLast) = (source.Node.Int("keepdims", 1) != 0, source.Node.Int("select_last_index", 0) != 0);
        return (inputs, _) =>
        {
            var x = rank(inputs[0]!);
            return [takesLast ? x.shape[Axes.Of(axis, x)] - 1 - x.flip([axis]).argmax(axis, keeps) : x.argmax(axis, keeps)];
        };
    }
}
