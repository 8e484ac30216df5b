using MaestroDeploy.Onnx;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>Matrix products.</summary>
static class Products
{
    public static Tensor MatMul(ReadOnlySpan<Tensor?> inputs, ForwardMode mode) => inputs[0]!.matmul(inputs[1]!);

    /// <summary>alpha·A'·B' + beta·C, where a prime is a transpose if asked for.</summary>
    public static Operator Gemm(NodeSource source)
    {
        var (turnA, turnB) = (source.Node.Int("transA", 0) != 0, source.Node.Int("transB", 0) != 0);
        var (alpha, beta) = (source.Node.Float("alpha", 1), source.Node.Float("beta", 1));
        return (inputs, _) =>
        {
            var a = turnA ? inputs[0]!.t() : inputs[0]!;
            var b = turnB ? inputs[1]!.t() : inputs[1]!;
            if (inputs.Length > 2 && inputs[2] is { } c)
            {
                return c.addmm(a, b, beta, alpha);
            }

            var product = a.mm(b);
            return alpha == 1 ? product : product * alpha;
        };
    }
}
