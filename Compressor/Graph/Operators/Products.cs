using MaestroDeploy.Onnx;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>Matrix products.</summary>
static class Products
{
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
                return [c.addmm(a, b, beta, alpha)];
            }

            var product = a.mm(b);
            return [alpha == 1 ? product : product * alpha];
        };
    }

    /// <summary>Sums of products over the axes that an equation names.</summary>
    public static Operator Einsum(NodeSource source)
    {
        var equation = source.Node.Text("equation", "");
        source.Refuse(equation.Length == 0, "it has no equation");
        return (inputs, _) => [einsum(equation, inputs.ToArray()!)];
    }
}
