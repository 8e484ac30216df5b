using MaestroDeploy.Onnx.Cost;
using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Onnx.LowRank;

/// <summary>Finds the weights of a graph that can be factored, and says why the others cannot.</summary>
/// <remarks>
/// 1. Gemm with transA = 0 and alpha = beta = 1, its weight a float32 initializer.
/// 2. MatMul with a float32 initializer [in, out] on the right.
/// 3. Conv with group = 1, its weight a float32 initializer.
/// A weight that several nodes read, or that the graph gives out, is left alone.
/// </remarks>
public static class WeightLayers
{
    /// <summary>A weight that is left as it is.</summary>
    /// <param name="Node">The node that reads it.</param>
    /// <param name="Why">In plain words.</param>
    public sealed record Skipped(string Node, string Why);

    /// <summary>The factorable layers of a model's main graph, in the order of its nodes.</summary>
    /// <param name="model">Any loaded model.</param>
    /// <param name="skipped">The Gemm, MatMul and Conv nodes that are not among them.</param>
    public static IReadOnlyList<WeightLayer> Find(OnnxModel model, out IReadOnlyList<Skipped> skipped)
    {
        var shapes = Shapes.Of(model);
        var reads = Reads(model.Graph).GroupBy(name => name).ToDictionary(group => group.Key, group => group.Count());
        List<WeightLayer> found = [];
        List<Skipped> left = [];
        var names = model.Graph.Node.SelectMany(node => node.Output).Concat(model.Graph.Initializer.Select(tensor => tensor.Name))
            .Concat(model.Graph.Input.Select(input => input.Name)).ToHashSet();
        foreach (var node in model.Graph.Node.Where(node => node.OpType is "Gemm" or "MatMul" or "Conv" or "ConvTranspose" && node.Domain is "" or "ai.onnx"))
        {
            if (WhyNot(node, model, reads) is { } why)
            {
                left.Add(new Skipped(node.Name.Length > 0 ? node.Name : node.Output[0], why));
            }
            else
            {
                found.Add(Describe(node, model, shapes, names));
            }
        }

        skipped = left;
        return found;
    }

    static string? WhyNot(NodeProto node, OnnxModel model, Dictionary<string, int> reads)
    {
        if (node.Input.Count < 2 || model.Initializer(node.Input[1]) is not { } weight)
        {
            return "its weight is not an initializer on the right";
        }

        if (weight.DataType != (int)TensorProto.Types.DataType.Float)
        {
            return $"its weight is {ElementTypes.Name(weight.DataType)}";
        }

        if (reads[weight.Name] > 1)
        {
            return "several nodes share its weight";
        }

        return node.OpType switch
        {
            "Gemm" when node.Int("transA", 0) != 0 || node.Float("alpha", 1) != 1 || node.Float("beta", 1) != 1 => "it has transA, alpha or beta",
            "Gemm" or "MatMul" when weight.Dims.Count != 2 => $"its weight has {weight.Dims.Count} axes",
            "Conv" when node.Int("group", 1) != 1 => $"it has {node.Int("group", 1)} groups",
            "Conv" when weight.Dims.Count < 3 => $"its weight has {weight.Dims.Count} axes",
            "ConvTranspose" => "it is a transposed convolution",
            _ => null,
        };
    }

    static WeightLayer Describe(NodeProto node, OnnxModel model, Shapes shapes, HashSet<string> names)
    {
        var weight = model.Initializer(node.Input[1])!;
        var dims = weight.Shape();
        var kind = node.OpType switch
        {
            "Conv" => LayerKind.Conv,
            "MatMul" when shapes[node.Input[0]]?.Count != 2 => LayerKind.Product,
            _ => LayerKind.Linear,
        };
        var stored = kind == LayerKind.Conv || (node.OpType == "Gemm" && node.Int("transB", 0) != 0);
        return new WeightLayer(UniqueName(node, names), kind, node, weight, stored ? dims[0] : dims[1], stored ? dims[1..] : [dims[0]]);
    }

    // What a factored or merged layer adds to the graph must not be there already.
    static string UniqueName(NodeProto node, HashSet<string> names)
    {
        var name = node.Name.Length > 0 ? node.Name : node.Output[0];
        for (var i = 2; !IsFree(name); i++)
        {
            name = $"{(node.Name.Length > 0 ? node.Name : node.Output[0])}.{i}";
        }

        names.UnionWith(Added(name));
        return name;

        static IEnumerable<string> Added(string name) => [$"{name}.u", $"{name}.v", $"{name}.hidden", $"{name}.turned", $"{name}.weight"];

        bool IsFree(string name) => Added(name).All(added => added == node.Input[1] || !names.Contains(added));
    }

    // The body of an If or a Loop may read the outer graph's initializers.
    static IEnumerable<string> Reads(GraphProto graph) => graph.Output.Select(output => output.Name)
        .Concat(graph.Node.SelectMany(node => node.Input))
        .Concat(graph.Node.SelectMany(node => node.Attribute).SelectMany(attribute => attribute.Graphs.Append(attribute.G)).OfType<GraphProto>().SelectMany(Reads));
}
