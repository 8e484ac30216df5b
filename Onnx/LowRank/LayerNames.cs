using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Onnx.LowRank;

/// <summary>Names for layers: what a factored or merged layer adds to the graph, values and nodes, must not be there already.</summary>
sealed class LayerNames(GraphProto graph)
{
    readonly HashSet<string> _values = [.. graph.ValueNames()];
    readonly HashSet<string> _nodes = [.. graph.Node.Select(node => node.Name)];

    /// <summary>A layer's name, or that with the first number behind it that is free.</summary>
    /// <param name="nodes">The layer's nodes, which go with the dense weight, as the weight itself does.</param>
    /// <param name="weight">Names of values that go.</param>
    public string Unused(IReadOnlyList<NodeProto> nodes, IReadOnlyList<string> weight)
    {
        var wanted = nodes[0].Title();
        var own = nodes.Select(node => node.Name).ToHashSet();
        var name = wanted;
        for (var i = 2; !IsFree(name); i++)
        {
            name = $"{wanted}.{i}";
        }

        _values.UnionWith(NewValues(name, nodes.Count));
        _nodes.UnionWith(NewNodes(name, nodes.Count));
        return name;

        bool IsFree(string name) => !NewValues(name, nodes.Count).Any(value => _values.Contains(value) && !weight.Contains(value))
            && !NewNodes(name, nodes.Count).Any(node => _nodes.Contains(node) && !own.Contains(node));
    }

    // What a pair, a dense node, an identity block and a probe's mask add.
    static readonly string[] OfOneUse = ["u", "v", "turned", "zero", "weight", "inner", "outer", "chosen", "others", "joined", "places", "chosen_bias", "others_bias", "mask"];

    static IEnumerable<string> NewValues(string name, int uses) =>
        [.. OfOneUse.Select(part => $"{name}.{part}"), .. EachUse($"{name}.hidden", uses)];

    static IEnumerable<string> NewNodes(string name, int uses) =>
        [$"{name}.turn", $"{name}.zero", .. EachUse(name, uses), .. EachUse($"{name}.project", uses), .. EachUse($"{name}.expand", uses)];

    static IEnumerable<string> EachUse(string name, int uses) => Enumerable.Range(1, uses).Select(use => PairNodes.Numbered(name, use));
}
