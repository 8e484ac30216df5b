using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Onnx.LowRank;

/// <summary>Names for layers: what a factored or merged layer adds to the graph must not be there already.</summary>
sealed class LayerNames(GraphProto graph)
{
    readonly HashSet<string> _taken = [.. graph.Node.SelectMany(node => node.Output).Concat(graph.Initializer.Select(tensor => tensor.Name))
        .Concat(graph.Input.Select(input => input.Name)).Concat(graph.Node.SelectMany(node => node.Bodies()).SelectMany(Inside))];

    /// <summary>A layer's name, or that with the first number behind it that is free.</summary>
    /// <param name="wanted">What it would be called.</param>
    /// <param name="uses">Nodes that read the weight.</param>
    /// <param name="weight">Names that go with the weight.</param>
    public string Unused(string wanted, int uses, IReadOnlyList<string> weight)
    {
        var name = wanted;
        for (var i = 2; Added(name, uses).Any(added => _taken.Contains(added) && !weight.Contains(added)); i++)
        {
            name = $"{wanted}.{i}";
        }

        _taken.UnionWith(Added(name, uses));
        return name;
    }

    static IEnumerable<string> Added(string name, int uses) =>
        [$"{name}.u", $"{name}.v", $"{name}.turned", $"{name}.weight", .. Enumerable.Range(1, uses).Select(use => PairRewrite.Hidden(name, use))];

    // A body may not name a value as the graph outside does.
    static IEnumerable<string> Inside(GraphProto body) => body.Node.SelectMany(node => node.Output.Concat(node.Bodies().SelectMany(Inside)))
        .Concat(body.Initializer.Select(tensor => tensor.Name)).Concat(body.Input.Select(input => input.Name));
}
