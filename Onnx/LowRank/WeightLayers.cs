using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Onnx.LowRank;

/// <summary>Finds the weights of a graph that can be factored, and says why the others cannot.</summary>
/// <remarks>
/// 1. Gemm, whatever its transA, transB, alpha and beta, and MatMul: a constant of two axes on either side.
/// 2. Conv with group = 1: a constant weight.
/// Constants are found by <see cref="ConstantValues"/>, of float32 or float16. A weight that several nodes read is one layer where all of
/// them use it in the same way; one that anything else reads too, or that the graph gives out, is left alone.
/// </remarks>
public static class WeightLayers
{
    /// <summary>A weight that is left as it is.</summary>
    /// <param name="Node">The node that reads it.</param>
    /// <param name="Why">In plain words, to follow "because".</param>
    public sealed record Skipped(string Node, string Why);

    /// <summary>The factorable layers of a model's main graph, in the order of its nodes.</summary>
    /// <param name="model">Any loaded model.</param>
    /// <param name="skipped">The nodes with weights that are not among them.</param>
    public static IReadOnlyList<WeightLayer> Find(OnnxModel model, out IReadOnlyList<Skipped> skipped)
    {
        var uses = new WeightUses(model);
        var found = model.Graph.Node.Select(uses.Of).Where(use => use is not null).Select(use => use!).ToList();
        var readers = GraphReads.Of(model.Graph);
        var names = new LayerNames(model.Graph);
        List<WeightLayer> layers = [];
        Dictionary<NodeProto, string> left = found.Where(use => use.WhyNot is not null).ToDictionary(use => use.Node, use => use.WhyNot!);
        foreach (var group in found.Where(use => use.Weight is not null).GroupBy(use => use.Key))
        {
            WeightUse[] same = [.. group];
            if (WhyNotAlone(same, readers) is { } why)
            {
                Array.ForEach(same, use => left[use.Node] = why);
            }
            else
            {
                layers.Add(Describe(same, names));
            }
        }

        skipped = [.. found.Where(use => left.ContainsKey(use.Node)).Select(use => new Skipped(use.Node.Title(), left[use.Node]))];
        return layers;
    }

    // Every value on the way to the weight must serve these nodes alone, or it would have to stay beside the factors.
    static string? WhyNotAlone(WeightUse[] uses, GraphReads readers)
    {
        var own = uses.SelectMany(use => use.Weight!.Nodes.Append(use.Node)).ToHashSet();
        foreach (var value in uses.SelectMany(use => use.Weight!.Values).Distinct())
        {
            if (readers.IsOutput(value))
            {
                return "the graph gives its weight out";
            }

            if (readers.Of(value).FirstOrDefault(node => !own.Contains(node)) is { } other)
            {
                return $"{other.OpType} '{other.Title()}' reads its weight too, in another way";
            }
        }

        return null;
    }

    static WeightLayer Describe(WeightUse[] uses, LayerNames names)
    {
        var first = uses[0];
        // Two products of one weight need one kind: what serves more axes serves two.
        var kind = uses.Any(use => use.Kind == LayerKind.Product) ? LayerKind.Product : first.Kind;
        NodeProto[] nodes = [.. uses.Select(use => use.Node)];
        var layer = new WeightLayer(names.Unused(nodes, first.Weight!.Values), kind, nodes, first.Weight!, 0, []);
        int[] dims = [.. first.Weight!.Dims.Select(size => checked((int)size))];
        return layer.Transposed ? layer with { Out = dims[1], In = [dims[0]] } : layer with { Out = dims[0], In = dims[1..] };
    }
}
