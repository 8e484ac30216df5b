using MaestroDeploy.Onnx;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>Reductions of some axes to one number: all axes where none are named, unless noop_with_empty_axes asks for none.</summary>
static class Reductions
{
    /// <summary>A reduction of several axes at once.</summary>
    public static OperatorEntry Over(Func<Tensor, long[], bool, Tensor> reduce) => new(1, source =>
    {
        var axes = source.Longs(1, "axes"); // an input since opset 13 of ReduceSum, and since 18 of the others
        var (keeps, isIdle) = (source.Node.Int("keepdims", 1) != 0, source.Node.Int("noop_with_empty_axes", 0) != 0);
        return (inputs, _) =>
        {
            var x = inputs[0]!;
            var named = axes(inputs);
            return [isIdle && named is null or [] ? x.alias() : reduce(x, Axes.OrAll(named, x), keeps)];
        };
    });

    /// <summary>A reduction that Torch has of one axis: of several, one after another.</summary>
    public static OperatorEntry OneByOne(Func<Tensor, long, bool, Tensor> reduce) =>
        Over((x, axes, keeps) => axes.OrderDescending().Aggregate(x.alias(), (y, axis) => reduce(y, axis, keeps)));

    public static Tensor Sum(Tensor x, long[] axes, bool keeps) => x.sum(axes, keeps, x.dtype);

    /// <summary>A norm whose gradient is 0, not infinite, where all is 0.</summary>
    public static Tensor Norm(Tensor x, double p, long[] axes, bool keeps) => linalg.vector_norm(x, p, axes, keeps);
}
