using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Onnx.LowRank;

/// <summary>Who reads each value of a graph, the bodies of If and Loop among them, which may read what lies outside.</summary>
sealed class GraphReads
{
    readonly Dictionary<string, List<NodeProto>> _readers = [];
    readonly HashSet<string> _outputs;

    GraphReads(GraphProto graph)
    {
        _outputs = [.. graph.Output.Select(output => output.Name)];
        foreach (var node in graph.Node)
        {
            AddReads(node, node);
        }
    }

    /// <summary>Walks a graph once.</summary>
    public static GraphReads Of(GraphProto graph) => new(graph);

    /// <summary>Whether the graph gives a value out.</summary>
    public bool IsOutput(string value) => _outputs.Contains(value);

    /// <summary>The nodes of the main graph that read a value, themselves or in a body.</summary>
    public IReadOnlyList<NodeProto> Of(string value) => _readers.TryGetValue(value, out var nodes) ? nodes : [];

    /// <summary>Whether nobody reads a value.</summary>
    public bool IsUnread(string value) => !IsOutput(value) && Of(value).Count == 0;

    void AddReads(NodeProto node, NodeProto outermost)
    {
        foreach (var value in node.Input)
        {
            Add(value, outermost);
        }

        foreach (var body in node.Bodies())
        {
            foreach (var inner in body.Node)
            {
                AddReads(inner, outermost);
            }

            foreach (var output in body.Output)
            {
                Add(output.Name, outermost);
            }
        }
    }

    void Add(string value, NodeProto reader)
    {
        if (!_readers.TryGetValue(value, out var nodes))
        {
            _readers[value] = nodes = [];
        }

        nodes.Add(reader);
    }
}
