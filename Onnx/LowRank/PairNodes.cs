using System.Globalization;
using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Onnx.LowRank;

/// <summary>The nodes that a pair puts in the place of dense ones.</summary>
static class PairNodes
{
    /// <summary>The projection and the expansion in the place of one dense node.</summary>
    /// <param name="pair">The pair.</param>
    /// <param name="dense">The node.</param>
    /// <param name="x">The value that it applies its weight to.</param>
    /// <param name="use">Which of the layer's nodes it is, from 1.</param>
    /// <param name="gemmNeedsBias">Whether a Gemm without one is given zeros.</param>
    public static (NodeProto Projection, NodeProto Expansion) Of(FactorPair pair, NodeProto dense, string x, int use, bool gemmNeedsBias)
    {
        string[] zero = gemmNeedsBias ? [Zero(pair)] : [];
        var (hidden, y, turned) = (Numbered($"{pair.Layer}.hidden", use), dense.Output[0], $"{pair.Layer}.turned");
        string project = Numbered($"{pair.Layer}.project", use), expand = Numbered($"{pair.Layer}.expand", use);
        var bias = dense.Input.Skip(2).Where(input => input.Length > 0);
        var isGemm = dense.OpType == "Gemm";
        return pair.Kind switch
        {
            LayerKind.Linear => (Turned("transA", dense, Nodes.Create("Gemm", project, hidden, [x, pair.V, .. zero])).With("transB", 1),
                Biased(dense, Nodes.Create("Gemm", expand, y, [hidden, pair.U, .. bias]))),
            LayerKind.Product => (Nodes.Create("MatMul", project, hidden, x, turned), Nodes.Create("MatMul", expand, y, hidden, pair.U)),
            LayerKind.Left when isGemm => (Turned("transB", dense, Nodes.Create("Gemm", project, hidden, [pair.V, x, .. zero])),
                Biased(dense, Nodes.Create("Gemm", expand, y, [pair.U, hidden, .. bias])).With("transA", 1)),
            LayerKind.Left => (Nodes.Create("MatMul", project, hidden, pair.V, x), Nodes.Create("MatMul", expand, y, turned, hidden)),
            _ => (Windowed(dense, project, [x, pair.V], hidden),
                Nodes.Create("Conv", expand, y, [hidden, turned, .. bias]).With("kernel_shape", PairRewrite.KernelOfOne(pair))),
        };
    }

    /// <summary>What all uses of a pair read beside the factors: the Transpose of one that they read turned, and a bias of zero.</summary>
    public static IEnumerable<NodeProto> Shared(FactorPair pair, NodeProto projection, NodeProto expansion, TensorProto.Types.DataType type)
    {
        if (projection.Input.Contains(Zero(pair)))
        {
            var zero = Nodes.Create("Constant", Zero(pair), Zero(pair));
            zero.Attribute.Add(new AttributeProto { Name = "value", Type = AttributeProto.Types.AttributeType.Tensor, T = TensorValues.Create("", [1], [0], type) });
            yield return zero;
        }

        var turned = $"{pair.Layer}.turned";
        if (projection.Input.Concat(expansion.Input).Contains(turned))
        {
            var factor = pair.Kind == LayerKind.Product ? pair.V : pair.U;
            long[] order = [1, 0, .. Enumerable.Range(2, PairRewrite.KernelOfOne(pair).Length).Select(axis => (long)axis)];
            yield return Nodes.Create("Transpose", $"{pair.Layer}.turn", turned, factor).With("perm", order);
        }
    }

    /// <summary>The bias of a projection that must have one.</summary>
    public static string Zero(FactorPair pair) => $"{pair.Layer}.zero";

    /// <summary>A name, with the number of a use behind it from the second on.</summary>
    public static string Numbered(string name, int use) => use == 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}.{use}");

    static NodeProto Turned(string attribute, NodeProto dense, NodeProto node) => dense.Int(attribute, 0) != 0 ? node.With(attribute, 1) : node;

    static NodeProto Biased(NodeProto dense, NodeProto node) => node.Input.Count > 2 && dense.Float("beta", 1) is var beta && beta != 1 ? node.With("beta", beta) : node;

    static NodeProto Windowed(NodeProto dense, string name, IEnumerable<string> inputs, string output)
    {
        var node = dense.Clone();
        node.Name = name;
        node.Input.Clear();
        node.Input.AddRange(inputs);
        node.Output[0] = output;
        return node;
    }
}
