using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Compressor.Factoring;

/// <summary>A copy of a model that gives out what its layers answer, and their biases.</summary>
static class ResponseGraph
{
    /// <summary>Makes the copy, all data inline.</summary>
    /// <param name="model">A dense model; it is not changed.</param>
    /// <param name="layers">Some of its layers. The copy's only outputs are what their nodes answer, and <see cref="BiasOf"/> of those that add one.</param>
    public static OnnxModel Of(OnnxModel model, IEnumerable<WeightLayer> layers)
    {
        var copy = model.Clone();
        copy.InlineData();
        copy.Graph.Output.Clear();
        foreach (var node in layers.SelectMany(layer => layer.Nodes))
        {
            GiveOut(copy, node.Output[0]);
            if (node.Input.Count > 2 && node.Input[2].Length > 0)
            {
                copy.Graph.Node.Add(Bias(node));
                GiveOut(copy, BiasOf(node));
            }
        }

        return copy;
    }

    /// <summary>The output by which the copy gives out what a node adds: a number a channel of a convolution's, and one for each of a Gemm's answers.</summary>
    public static string BiasOf(NodeProto node) => $"maestro.bias/{node.Output[0]}";

    // A Gemm broadcasts what it adds, and scales it; with alpha 0 nothing else is left of it.
    static NodeProto Bias(NodeProto node)
    {
        var bias = node.OpType == "Gemm" ? node.Clone().With("alpha", 0f) : new NodeProto { OpType = "Identity" };
        bias.Name = BiasOf(node);
        if (node.OpType != "Gemm")
        {
            bias.Input.Add(node.Input[2]);
        }

        bias.Output.Clear();
        bias.Output.Add(BiasOf(node));
        return bias;
    }

    static void GiveOut(OnnxModel model, string value) => model.Graph.Output.Add(new ValueInfoProto { Name = value }); // of whatever type
}
